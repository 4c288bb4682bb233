"""The training of the models of a trial."""

import os
import shutil

from keras_tuner.errors import FatalRuntimeError

from keras_regopt.tuning._callbacks import (
    FoldCallback,
    fold_callbacks,
    without_validation,
)
from keras_regopt.tuning._curves import pruned_curve
from keras_regopt.tuning._fold_backup import (
    FoldBackup,
    remove_all_but_pause,
    take_over,
)
from keras_regopt.tuning._reused_models import ReusedModels
from keras_regopt.tuning._scores import fold_record
from keras_regopt.tuning._validation_batches import ValidationBatches
from keras_regopt.tuning.asha_oracle import EPOCHS, PARENT, AshaOracle

# How often a fold is saved that may have to go on.
_SAVE_FREQ = "10min"


class FoldTraining:
    """Trains the models of a search, one a fold.

    Args:
        tuner: The tuner.
        data: Its folds.
        callbacks: List of Keras callbacks, which are copied.
        fit_kwargs: Dict of the arguments of `HyperModel.fit`.
        verbose: As for the tuner's `search`.
    """

    def __init__(self, tuner, data, callbacks, fit_kwargs, verbose):
        self.tuner = tuner
        self.data = data
        self.callbacks = callbacks
        self.fit_kwargs = fit_kwargs
        self.verbose = verbose
        self.models = ReusedModels() if tuner.reuse_models else None
        self.batches = ValidationBatches()

    def record(self, trial, fold):
        """Trains a fold's model.

        Args:
            trial: The `Trial`.
            fold: The fold, from 0.

        Returns:
            A dict; see `fold_record`.
        """
        tuner, hp = self.tuner, trial.hyperparameters
        before = self._paused(trial)
        if before and not tuner.finished(before)[fold].get("paused"):
            # It had ended by itself.
            return tuner.finished(before)[fold]
        attempt = tuner.attempt(trial)
        callbacks = fold_callbacks(
            self.callbacks, trial.trial_id, fold, attempt
        )
        backup = self._backup(trial, fold, callbacks)
        if before:
            take_over(self._folder(before, fold), backup.backup_dir)
        tuner.move_tensorboard(callbacks, trial, fold)
        callbacks.append(FoldCallback(tuner, trial, fold))
        if backup:
            callbacks.insert(0, backup)
        data = self.data.fold(fold)
        seed = self._seed(trial, fold)
        options = self._options(hp)
        result = self._fit_fold(fold, hp, seed, data, callbacks, options)
        record = fold_record(result, tuner.oracle.objective)
        if self.models is not None:
            record["compiled"] = self.models.last_is_new
        if backup and backup.pause_after and not backup.begun:
            raise FatalRuntimeError(
                "AshaOracle needs a `HyperModel.fit` that calls Model.fit with "
                "the callbacks it gets: another one cannot be paused."
            )
        if pruned_curve(tuner.get_trial_dir(trial.trial_id)):
            record["pruned"] = True
        elif backup and backup.paused:
            record["paused"] = True
        return record

    def forget(self, trial, fold, record):
        """Removes the backups of a fold whose record is on the disk."""
        folder = self._folder(trial, fold)
        if record.get("paused"):
            remove_all_but_pause(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def forget_parent(self, trial):
        """Removes the backups that a trial has gone on from, once it ended."""
        before = self._paused(trial)
        if before and trial.trial_id in self.tuner.oracle.end_order:
            folder = os.path.dirname(self._folder(before, 0))
            shutil.rmtree(folder, ignore_errors=True)

    def _options(self, hp):
        """The arguments of the fit of a fold."""
        options = dict(self.fit_kwargs)
        if isinstance(self.tuner.oracle, AshaOracle):
            # It pauses before: schedules and callbacks see a whole training.
            options["epochs"] = self.tuner.oracle.max_epochs
        elif EPOCHS in hp.values:
            # Hyperband decides on the epochs.
            options["epochs"] = hp.values[EPOCHS]
        return options

    def _backup(self, trial, fold, callbacks):
        """The callback that lets the training go on, or `None`."""
        save_freq = self.tuner.save_freq
        pause_after = None
        if isinstance(self.tuner.oracle, AshaOracle):
            save_freq = save_freq or _SAVE_FREQ
            pause_after = trial.hyperparameters.values[EPOCHS]
        if save_freq is None:
            return None
        folder = self._folder(trial, fold)
        return FoldBackup(
            callbacks, folder, save_freq, pause_after, self.verbose != 0
        )

    def _folder(self, trial, fold):
        """The folder of the backups of a fold."""
        tuner = self.tuner
        # A retry does not meet what has failed.
        attempt = tuner.attempt(trial) - (trial.score is not None)
        name = f"fold_{fold}" + (f"_attempt_{attempt}" if attempt else "")
        return os.path.join(tuner.get_trial_dir(trial.trial_id), "backup", name)

    def _paused(self, trial):
        """The trial that this one goes on from, or `None`."""
        oracle = self.tuner.oracle
        parent = trial.hyperparameters.values.get(PARENT)
        goes_on = isinstance(oracle, AshaOracle) and parent is not None
        return oracle.trials[parent] if goes_on else None

    def _seed(self, trial, fold):
        if self._paused(trial):
            # All that was random is in the backup, but for how it was built.
            trial = self.tuner.oracle.origin(trial)
        attempt = self.tuner.attempt(trial) - (trial.score is not None)
        return self.tuner.fold_seed(trial.trial_id, fold, attempt)

    def refit(self, result):
        """A model of a finished trial, trained on all data.

        Args:
            result: One of the dicts of `cross_validation_results`.
        """
        trial_id = result["trial_id"]
        hp = self.tuner.oracle.get_trial(trial_id).hyperparameters
        options = dict(self.fit_kwargs)
        # Unless `HyperModel.fit` sets the epochs itself.
        set_here = "epochs" in options or EPOCHS in hp.values
        if result["epochs"] and set_here:
            options["epochs"] = result["epochs"]
        callbacks = without_validation(
            fold_callbacks(self.callbacks, trial_id, "all")
        )
        seed = self.tuner.fold_seed(trial_id, "all")
        data = self.data.everything()
        # It is the user's, and so it is trained itself.
        model = self.tuner.build_seeded(hp, seed)
        self._fit(hp, model, data, callbacks, options)
        return model

    def must_free_memory(self):
        """Whether garbage is collected before the next model is built."""
        return self.models is None or self.models.must_free_memory()

    def _fit_fold(self, fold, hp, seed, data, callbacks, options):
        """What `HyperModel.fit` returned for a fold."""
        if self.models is None:
            model = self.tuner.build_seeded(hp, seed)
            return self._fit(hp, model, data, callbacks, options)
        model = self.tuner.build_seeded(hp, seed, keep_kernels=True)
        arguments, keywords = data
        model = self.models.instead_of(model, arguments[0])
        keywords = self.batches.in_place_of(fold, keywords, options)
        try:
            data = arguments, keywords
            return self._fit(hp, model, data, callbacks, options)
        except BaseException:
            self.models.forget(model)
            raise

    def _fit(self, hp, model, data, callbacks, options):
        """What `HyperModel.fit` returned."""
        arguments, keywords = data
        verbose = 2 if self.verbose == 2 else 0
        keywords = {"callbacks": callbacks, "verbose": verbose, **keywords}
        keywords.update(options)
        hypermodel = self.tuner.hypermodel
        return hypermodel.fit(hp, model, *arguments, **keywords)

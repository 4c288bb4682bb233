"""The training of the models of a trial."""

from keras_regopt.tuning._callbacks import (
    FoldCallback,
    fold_callbacks,
    without_validation,
)
from keras_regopt.tuning._curves import pruned_curve
from keras_regopt.tuning._scores import fold_record


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

    def record(self, trial, fold):
        """Trains a fold's model.

        Args:
            trial: The `Trial`.
            fold: The fold, from 0.

        Returns:
            A dict; see `fold_record`.
        """
        tuner, hp = self.tuner, trial.hyperparameters
        attempt = tuner.attempt(trial)
        callbacks = fold_callbacks(
            self.callbacks, trial.trial_id, fold, attempt
        )
        tuner.move_tensorboard(callbacks, trial, fold)
        callbacks.append(FoldCallback(tuner, trial, fold))
        options = dict(self.fit_kwargs)
        # Hyperband decides on the epochs.
        if "tuner/epochs" in hp.values:
            options["epochs"] = hp.values["tuner/epochs"]
        seed = tuner.fold_seed(trial.trial_id, fold, attempt)
        data = self.data.fold(fold)
        _, result = self._fit(hp, seed, data, callbacks, options)
        record = fold_record(result, tuner.oracle.objective)
        if pruned_curve(tuner.get_trial_dir(trial.trial_id)):
            record["pruned"] = True
        return record

    def refit(self, result):
        """A model of a finished trial, trained on all data.

        Args:
            result: One of the dicts of `cross_validation_results`.
        """
        trial_id = result["trial_id"]
        hp = self.tuner.oracle.get_trial(trial_id).hyperparameters
        options = dict(self.fit_kwargs)
        # Unless `HyperModel.fit` sets the epochs itself.
        set_here = "epochs" in options or "tuner/epochs" in hp.values
        if result["epochs"] and set_here:
            options["epochs"] = result["epochs"]
        callbacks = without_validation(
            fold_callbacks(self.callbacks, trial_id, "all")
        )
        seed = self.tuner.fold_seed(trial_id, "all")
        data = self.data.everything()
        return self._fit(hp, seed, data, callbacks, options)[0]

    def _fit(self, hp, seed, data, callbacks, options):
        """A model, trained, and what `HyperModel.fit` returned."""
        arguments, keywords = data
        model = self.tuner.build_seeded(hp, seed)
        verbose = 2 if self.verbose == 2 else 0
        keywords = {"callbacks": callbacks, "verbose": verbose, **keywords}
        keywords.update(options)
        hypermodel = self.tuner.hypermodel
        return model, hypermodel.fit(hp, model, *arguments, **keywords)

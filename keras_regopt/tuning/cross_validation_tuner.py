"""Cross-validation for any Keras Tuner oracle."""

import math
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from keras_regopt._types import Path
from keras_regopt._validate import one_of
from keras_regopt.tuning import _made_with
from keras_regopt.tuning._checks import (
    check_save_frequency,
    check_search,
    check_stop_hopeless,
    let_go_on,
)
from keras_regopt.tuning._fold_training import FoldTraining
from keras_regopt.tuning._folds import check_folds
from keras_regopt.tuning._given_split import split_data
from keras_regopt.tuning._hopeless import imputed_records
from keras_regopt.tuning._lock import alone
from keras_regopt.tuning._progress import Progress, show_results
from keras_regopt.tuning._resumable_tuner import HyperModel, ResumableTuner
from keras_regopt.tuning._reused_models import check_reuse_models


class CrossValidationTuner(ResumableTuner):
    """Searches hyperparameters by the mean score of several folds.

    One split of the data favors some hyperparameters by luck. Here every
    trial trains one model a fold, on the other folds, and scores it on its
    own; the oracle sees the mean. All trials have the same folds, so they
    compare fairly. Use it where you can afford `folds` models a trial.

    A fold's score is that of its best epoch, as in Keras Tuner. It is
    optimistic, since the epoch and, in the end, the hyperparameters are
    chosen on the data that score them: measure the final model on a test
    set which the search never saw.

    The search goes on where it stopped when the same program runs again,
    even after a kill in mid-trial: finished folds are kept, and every fold
    has its own seed, so the results are those of a search without a break.
    It runs in one process and sets the global random seeds.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function `build(hp)`
            that returns a compiled model.
        oracle: Any Keras Tuner oracle. It holds the objective, such as
            `"val_loss"`, and the number of trials. Give it a seed other
            than 0, which Keras Tuner takes for none. Under a
            `HyperbandOracle`, every round trains from the start.
        folds: Number of folds, at least 2, or a scikit-learn splitter such
            as `RepeatedKFold(random_state=1)`, or one that makes a single
            split, such as `ShuffleSplit(1, random_state=1)`, or `None`, for
            the `validation_data` of `search`. Defaults to `5`.
        stratify: Whether each fold gets the proportions of the classes.
            `"auto"` does so where `y` is one array of integers, booleans,
            strings or one-hot rows. A splitter decides itself.
        seed: Seed of the folds and of all training, at least 0. Defaults
            to `0`.
        directory: Local folder for the projects. Defaults to `"."`.
        project_name: Folder of this search within it.
        overwrite: Whether to delete the project and start again, rather
            than go on. Defaults to `False`.
        save_freq: How often the training of a fold is saved, to go on in its
            middle after a kill: `"epoch"`, a number of batches or a time such
            as `"10min"`; see `keras_regopt.callbacks.FaultTolerant`. `None`
            trains the fold again, which needs no backups, and lets
            `HyperModel.fit` do what it likes. An `AshaOracle` takes `None`
            for `"10min"`. Defaults to `None`.
        stop_hopeless: Whether a trial ends after a few folds, at least 2, that
            show it to be worse than the best one, at 95 % by their paired
            differences. The other folds count as those of the best trial and
            the mean difference. Defaults to `False`.
        reuse_models: Whether one compiled model serves all trials that differ
            in nothing but numbers, such as the learning rate, a dropout rate
            or the strength of a penalty; the results are the same. Another
            structure is compiled for itself. Defaults to `False`.
        **kwargs: More of `keras_tuner.Tuner`'s, such as `max_model_size`.

    Raises:
        ValueError: If the project was made with another seed, oracle or
            objective.
        RuntimeError: If a state file of the project is damaged or foreign.

    Examples:
        >>> import tempfile
        >>> import keras
        >>> import keras_tuner
        >>> import numpy as np
        >>> def build(hp):
        ...     units = hp.Choice("units", [2, 4])
        ...     layers = [keras.layers.Dense(n) for n in (units, 1)]
        ...     model = keras.Sequential(layers)
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> tuner = CrossValidationTuner(
        ...     build,
        ...     keras_tuner.oracles.RandomSearchOracle("val_loss", 1),
        ...     folds=2,
        ...     directory=tempfile.mkdtemp(),
        ... )
        >>> x = np.linspace(-1, 1, 24).reshape(12, 2)
        >>> tuner.search(x, x[:, :1], epochs=2, verbose=0)
        >>> best = tuner.cross_validation_results()[0]
        >>> sorted(best["hyperparameters"]), len(best["scores"])
        (['units'], 2)
        >>> model = tuner.get_best_models()[0]
        >>> model.predict(x, verbose=0).shape
        (12, 1)

    References:
        Stone 1974, Cross-validatory choice and assessment of statistical
        predictions.
    """

    def __init__(
        self,
        hypermodel: HyperModel,
        oracle: keras_tuner.Oracle,
        folds: int | Any | None = 5,
        stratify: bool | str = "auto",
        seed: int = 0,
        directory: Path | None = None,
        project_name: str | None = None,
        overwrite: bool = False,
        save_freq: str | int | None = None,
        stop_hopeless: bool = False,
        reuse_models: bool = False,
        **kwargs,
    ):
        self.stop_hopeless = check_stop_hopeless(self, stop_hopeless, oracle)
        self.save_freq = check_save_frequency(self, save_freq)
        self.reuse_models = check_reuse_models(
            self, reuse_models, oracle, save_freq
        )
        self.folds = check_folds(self, folds)
        self.stratify = one_of(
            self, "stratify", stratify, ("auto", True, False)
        )
        self._training: Any = None
        self._progress = Progress(verbose=0)
        super().__init__(
            hypermodel,
            oracle,
            seed,
            directory=directory,
            project_name=project_name,
            overwrite=overwrite,
            **kwargs,
        )
        let_go_on(self.oracle)

    def search(
        self,
        x,
        y=None,
        sample_weight=None,
        groups=None,
        callbacks=(),
        verbose=1,
        validation_data=None,
        **fit_kwargs,
    ):
        """Runs the trials that are left.

        Args:
            x: Inputs: an array, or a dict, tuple or list of arrays; with
                `folds=None` also a dataset that can be read again.
            y: Targets, in the same forms.
            sample_weight: Optional weights, for training and validation.
            groups: Optional group of each sample; none is ever split up.
            callbacks: List of Keras callbacks; each fold gets deep copies,
                which write into folders of their own.
            verbose: 0 prints nothing, 1 a line a fold, 2 adds Keras' lines.
            validation_data: With `folds=None` alone, as `Model.fit` takes it.
            **fit_kwargs: More arguments of `HyperModel.fit`, and so of
                `Model.fit`, such as `epochs` and `batch_size`.

        Raises:
            ValueError: If the data cannot be split into the folds, if an
                argument is not allowed here, or if the project was begun with
                other data or arguments.
            RuntimeError: If another process searches in the project.
        """
        check_search(self, callbacks, verbose, validation_data, fit_kwargs)
        data = split_data(self, x, y, sample_weight, groups, validation_data)
        searched = {
            **_made_with.comparable(fit_kwargs, callbacks),
            **data.fingerprint(),
        }
        if self.stop_hopeless:
            searched["stop_hopeless"] = True
        with alone(self.project_dir):
            self.begin(searched, _made_with.codes(self.hypermodel, callbacks))
            self._training = FoldTraining(
                self, data, callbacks, fit_kwargs, verbose
            )
            self._progress = Progress(verbose)
            super().search(**fit_kwargs)

    def run_trial(self, trial, **fit_kwargs):
        """Trains and scores one model a fold.

        Args:
            trial: The `Trial` to run.
            **fit_kwargs: What `search` got for `HyperModel.fit`.

        Returns:
            A list of one dict of metrics a fold, at the fold's best epoch.
            It ends at a fold that was pruned, or whose objective is not
            finite.
        """
        self._free_memory = self._training.must_free_memory()
        records = self.load_records(trial)
        resumed = len(records)
        total = len(self._training.data)
        name = self.oracle.objective.name
        values = trial.hyperparameters.values
        self._progress.trial_begins(
            self._number(trial.trial_id), self.oracle.max_trials, values
        )
        for fold in range(total):
            if fold >= resumed:
                records.append(self._training.record(trial, fold))
                self.save_records(trial, records)
            record = records[fold]
            self._training.forget(trial, fold, record)
            self._progress.fold_ends(fold, total, name, record, fold < resumed)
            if not math.isfinite(record["metrics"][name]) or (
                "pruned" in record
            ):
                break
            if self.stop_hopeless and self._stops(trial, records, fold + 1):
                break
        return [record["metrics"] for record in records]

    def _stops(self, trial, records, done):
        """Whether a trial is hopeless; if so, fills its records up."""
        data = self._training.data
        if others := imputed_records(self, trial, records[:done], data):
            records[done:] = others
            self.save_records(trial, records)
            self._progress.trial_is_hopeless(done, len(data))
        return bool(others)

    def on_trial_end(self, trial):
        """Reports a trial to the oracle, the files and the screen."""
        try:
            super().on_trial_end(trial)
            self._training.forget_parent(trial)
        finally:
            self._progress.trial_has_no_score(trial)
        if trial.status == TrialStatus.COMPLETED:
            best = self.cross_validation_results()[0]
            self._progress.trial_ends(
                self.oracle.objective.name,
                self.result(trial),
                best,
                self._number(best["trial_id"]),
            )

    def _number(self, trial_id):
        return self.oracle.start_order.index(trial_id) + 1

    def results_summary(self, num_trials=10):
        """Prints the `num_trials` best trials with mean and deviation."""
        show_results(
            self.cross_validation_results()[:num_trials],
            self.oracle.objective.name,
            self.project_dir,
        )

    def get_best_models(self, num_models=1):
        """Trains the best trials' models on all data of the search.

        The folds' models are not stored. Each model is built again and trained
        as in the search, for the median of the folds' best epochs, without
        validation data and the callbacks that monitor a `val_` metric.

        Args:
            num_models: Number of models. Defaults to `1`.

        Returns:
            A list of trained models, the best first.

        Raises:
            RuntimeError: If there was no `search` here, or no trial succeeded.
        """
        if self._training is None:
            raise RuntimeError(
                "get_best_models() needs the data. Call search() with them "
                "first: finished trials are not run again."
            )
        self.require_success()
        results = self.cross_validation_results()[:num_models]
        return [self._training.refit(result) for result in results]

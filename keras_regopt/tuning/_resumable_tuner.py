"""A tuner whose search goes on after a kill at any moment."""

import hashlib
import math
import os
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus

from keras_regopt._hints import Hinting
from keras_regopt._types import Path
from keras_regopt._validate import integer
from keras_regopt.tuning import _made_with, _state
from keras_regopt.tuning._checks import (
    check_hypermodel,
    check_oracle,
    check_place,
)
from keras_regopt.tuning._curves import end_pruned, pruned_curve
from keras_regopt.tuning._oracle import settings_of
from keras_regopt.tuning._outcomes import failure, superseded
from keras_regopt.tuning._records import (
    finished_records,
    resume_records,
    write_records,
)
from keras_regopt.tuning._results import CrossValidationResults
from keras_regopt.tuning._scores import middle_epoch, summary
from keras_regopt.tuning._seeded_builds import SeededBuilds

# Changed when the files of a project can no longer be read.
_WRITER = "keras_regopt.CrossValidationTuner/2"

HyperModel: TypeAlias = keras_tuner.HyperModel | Callable[[Any], keras.Model]


class ResumableTuner(Hinting, SeededBuilds):
    """Base of tuners that train several models a trial and can be resumed.

    A subclass saves a record of every model that is trained, with
    `save_records`, and loads those of an interrupted trial with
    `load_records`. Its `run_trial` returns one dict of metrics a record.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        oracle: Any Keras Tuner oracle.
        seed: Seed of all training, at least 0.
        directory: Local folder for the projects.
        project_name: Folder of this search within it.
        overwrite: Whether to start again rather than to go on.
        **kwargs: More arguments of `keras_tuner.Tuner`.

    Raises:
        ValueError: If the project was made with another seed, oracle or
            objective.
        RuntimeError: If a state file of the project is damaged or foreign.
    """

    def __init__(
        self,
        hypermodel: HyperModel,
        oracle: keras_tuner.Oracle,
        seed: int,
        directory: Path | None = None,
        project_name: str | None = None,
        overwrite: bool = False,
        **kwargs,
    ):
        check_hypermodel(self, hypermodel)
        check_oracle(self, oracle)
        self.seed = integer(self, "seed", seed, low=0)
        check_place(self, directory, kwargs)
        self._searched: dict[str, Any] = {}
        self._code: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        # The lines of this package replace the oracle's.
        oracle.verbose = 0
        _state.keep_safely(oracle)
        super().__init__(
            oracle,
            hypermodel,
            directory=directory,
            project_name=project_name,
            overwrite=overwrite,
            **kwargs,
        )
        # A project without our file is another tuner's; ours is first.
        if not os.path.exists(self._get_tuner_fname()):
            _state.require_empty(self.oracle)

    def begin(self, searched, code):
        """Saves what the results of the search depend on.

        Args:
            searched: Dict of names and plain values.
            code: Dict of names and hashes of functions and classes.

        Raises:
            RuntimeError: If another process has gone on with the project.
            ValueError: If the project was begun with other values.
        """
        _state.require_last(self.oracle)
        if self._searched:
            _state.require_same(self.project_dir, self._searched, searched)
            _made_with.warn_of_other_code(self.project_dir, self._code, code)
        self._searched = searched
        self._code = {**code, **self._code}
        self.save()

    def fold_seed(self, trial_id, fold, attempt=0):
        """The seed that a fold's model is built and trained under.

        Args:
            trial_id: The trial's name.
            fold: The fold, from 0.
            attempt: How many times the trial has failed. Defaults to `0`.

        Returns:
            An `int` for `keras.utils.set_random_seed`.
        """
        text = f"{self.seed}/{trial_id}/{fold}/{attempt}"
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)

    def attempt(self, trial):
        """How many times a trial has failed before."""
        return _state.attempt(self.oracle, trial.trial_id)

    def save_records(self, trial, records):
        """Saves the records of a trial so far.

        Args:
            trial: The `Trial`.
            records: List of dicts with `"metrics"` and `"best_epoch"`.
        """
        path = self._records_path(trial)
        write_records(path, trial, self.attempt(trial), records)

    def load_records(self, trial):
        """The records of an interrupted trial.

        Args:
            trial: The `Trial`; it gets the hyperparameters that its model
                had asked for.

        Returns:
            A list, empty for a trial that begins.
        """
        path = self._records_path(trial)
        return resume_records(path, trial, self.attempt(trial))

    def cross_validation_results(self):
        """The results of the finished trials, the best first.

        Returns:
            A list of dicts, which a notebook shows as a table: `"trial_id"`,
            `"hyperparameters"` (a dict), `"mean"`, `"std"` (over the number of
            folds less one; `None` of a single split), `"standard_error"`,
            `"scores"` (one a fold),
            `"best_epochs"` (one a fold, from 1, or `None`) and `"epochs"`,
            their median. With `reuse_models`, also `"compiled"`, how many of
            the folds' models were compiled for themselves.
        """
        trials = self.oracle.get_best_trials(len(self.oracle.trials))
        left_out = superseded(self.oracle)
        return CrossValidationResults(
            self.result(trial)
            for trial in trials
            if trial.status == TrialStatus.COMPLETED
            and trial.trial_id not in left_out
        )

    def result(self, trial):
        """The result of a finished trial."""
        name = self.oracle.objective.name
        return {
            "trial_id": trial.trial_id,
            "hyperparameters": dict(trial.hyperparameters.values),
            **summary(self.finished(trial), name),
        }

    def finished(self, trial):
        """The records of a finished trial."""
        return finished_records(self._records_path(trial))

    def _records_path(self, trial):
        return os.path.join(self.get_trial_dir(trial.trial_id), "folds.json")

    def _run_and_update_trial(self, trial, *fit_args, **fit_kwargs):
        # What an interrupted or failed attempt has left does not count.
        trial.metrics = type(trial.metrics)()
        trial.message = None
        self._free_memory = True
        values = trial.hyperparameters.values
        for name, value in values.items():
            # After a reload they are Python's, and a model may tell.
            if isinstance(value, np.generic):
                values[name] = value.item()
        try:
            results = self.run_trial(trial, *fit_args, **fit_kwargs)
        except Exception as error:
            first = (str(error).strip().splitlines() or [""])[0]
            reason = f"{type(error).__name__}: {first}".removesuffix(": ")
            self._reasons[trial.trial_id] = reason
            raise
        if pruned_curve(self.get_trial_dir(trial.trial_id)):
            return
        name = self.oracle.objective.name
        if not math.isfinite(results[-1][name]):
            # An infinite score would enter the Bayesian model as 0.
            trial.message = f"{name} is {results[-1][name]}, not finite"
            return
        epoch = middle_epoch(self.finished(trial))
        for metrics in results:
            self.oracle.update_trial(
                trial.trial_id,
                {
                    metric: value
                    for metric, value in metrics.items()
                    if all(
                        math.isfinite(r.get(metric, math.nan)) for r in results
                    )
                },
                # Keras Tuner counts from 0.
                step=epoch - 1 if epoch else 0,
            )

    def on_trial_end(self, trial):
        """Ends a trial; one without a finite score has failed."""
        end_pruned(self.oracle, trial)
        if trial.status == TrialStatus.COMPLETED and trial.message:
            trial.status = TrialStatus.INVALID
        if reason := self._reasons.pop(trial.trial_id, None):
            # The last lines of a traceback say little, of JAX above all.
            trial.message = f"{reason}\n\n{trial.message}"
        super().on_trial_end(trial)

    def on_search_end(self):
        """Warns if no trial has succeeded."""
        super().on_search_end()
        if message := failure(self):
            warnings.warn(message, stacklevel=2)

    def require_success(self):
        """Raises a `RuntimeError` if no trial has succeeded."""
        if message := failure(self):
            raise RuntimeError(f"There is no best model. {message}")

    def save(self):
        """Saves the state of the search, each file in one step."""
        _state.write_json(self._get_tuner_fname(), self.get_state())
        self.oracle.save()

    def reload(self):
        """Goes back to the saved state of the search."""
        path = self._get_tuner_fname()
        state = _state.read_json(path)
        if state.get("writer") != _WRITER:
            raise _state.unusable(path, "is of another version or tuner")
        self.set_state(state)
        if not _state.load_oracle(self.oracle):
            self._populate_initial_space()

    def get_state(self):
        """What the results depend on, as a dict."""
        return {
            "writer": _WRITER,
            **self._made_with(),
            "keras_tuner_seed": self.oracle.seed,
            "search": self._searched,
            "code": self._code,
        }

    def set_state(self, state):
        """Takes a saved state; refuses one of another search."""
        own = self._made_with()
        before = {name: state.get(name) for name in own}
        _state.require_same(self.project_dir, before, own)
        seed = state["keras_tuner_seed"]
        _made_with.warn_of_other_seed(self.project_dir, seed, self.oracle.seed)
        self._searched = state["search"]
        self._code = state["code"]

    def _made_with(self):
        return {
            "seed": self.seed,
            "oracle": type(self.oracle).__name__,
            "objective": str(self.oracle.objective),
            **settings_of(self.oracle),
        }

    def _get_tuner_fname(self):
        # Not named by the tuner's id, which Keras Tuner sets too late.
        return os.path.join(self.project_dir, "tuner.json")

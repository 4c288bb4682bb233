"""Ends trials in mid-fit that are worse than others were."""

from typing import Any

import numpy as np
from keras_tuner.errors import FatalValueError
from keras_tuner.oracles import BayesianOptimizationOracle

from keras_regopt._keras import print_msg, running_fit
from keras_regopt._validate import fail, in_range, integer, positive_int
from keras_regopt.callbacks import Callback
from keras_regopt.tuning._curves import (
    Curve,
    other_bests,
    share_of_better,
    write_curve,
)
from keras_regopt.tuning._keras_tuner import TunerCallback
from keras_regopt.tuning.asha_oracle import AshaOracle


class PruningCallback(Callback):
    """Ends a trial that is worse than the other trials were at this epoch.

    It goes into the `callbacks` of `search`, of every tuner. After each epoch
    it compares the best value of the oracle's objective so far with what the
    other trials had reached by then, finished ones and others, on the same
    fold. With the default, the median rule, a trial ends that is worse than
    the median; one that was pruned before counts as worse. Use it where the
    first epochs tell a good deal about the last.

    A trial that was pruned has no score, and is none of the results. For
    `BayesianOracle` it is a trial whose loss is the quantile, among the
    finished trials, that it was at when it was pruned; its unfinished curve is
    never taken for a final value. `RandomOracle` and `GridOracle` go on. The
    oracles of Keras Tuner know of no pruned trials: in Keras Tuner's tuners
    they take the best value until then for the score, which is never the best
    score. In `CrossValidationTuner` the trial's other folds are not trained.
    `AshaOracle` ends bad trials itself, and is refused.

    Outside of a search it does nothing.

    Args:
        percentile: Which percentage of the trials, the best ones, may go on,
            in (0, 100); `50` is the median rule, `25` a strict one. `None`
            compares with no others. Defaults to `50.0`.
        threshold: Optional value of the objective. A trial ends that has not
            been at least as good. Defaults to `None`.
        min_trials: How many others must have reached the epoch before it is
            compared, at least 1. Defaults to `5`.
        start_from_epoch: Number of the first epoch, from 0, that may be the
            last one. Defaults to `1`.
        verbose: Whether to print why a trial ends, 0 or 1. Defaults to `0`.

    Raises:
        ValueError: If an argument is out of its range, or `percentile` and
            `threshold` are both `None`; in the search, if the objective is
            not in the logs of any epoch.

    Examples:
        >>> strict = PruningCallback(percentile=25, start_from_epoch=3)
        >>> strict.get_config()["percentile"]
        25

    References:
        Golovin et al. 2017, Google Vizier: a service for black-box
        optimization, for the median rule.
    """

    state_attributes = ("losses", "pruned_epoch", "share")

    def __init__(
        self,
        percentile: float | None = 50.0,
        threshold: float | None = None,
        min_trials: int = 5,
        start_from_epoch: int = 1,
        verbose: int = 0,
    ):
        super().__init__()
        self.percentile = in_range(
            self, "percentile", percentile, above=0, below=100, optional=True
        )
        self.threshold = in_range(self, "threshold", threshold, optional=True)
        if percentile is None and threshold is None:
            allowed = "a number where there is no `threshold`"
            fail(self, "percentile", allowed, percentile)
        self.min_trials = positive_int(self, "min_trials", min_trials)
        self.start_from_epoch = integer(
            self, "start_from_epoch", start_from_epoch, low=0
        )
        self.verbose = integer(self, "verbose", verbose, low=0, high=1)
        self._watched: Any = None
        self.reset()

    def reset(self):
        self.losses: dict[str, float] = {}
        self.pruned_epoch: int | None = None
        self.share: float | None = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._watched = _watched_trial(self.model)
        if self._watched is not None:
            _check(self._watched)
            self._write()

    def on_epoch_end(self, epoch, logs=None):
        if self._watched is None:
            return
        objective = self._watched.tuner.oracle.objective
        if not objective.has_value(logs or {}):
            return
        value = float(objective.get_value(logs))
        sign = -1.0 if objective.direction == "max" else 1.0
        self.losses[str(epoch)] = sign * value
        if epoch >= self.start_from_epoch and self.pruned_epoch is None:
            self._judge(epoch, sign)
        self._write()

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        if self._watched is None:
            return
        if not self.losses:
            name = self._watched.tuner.oracle.objective.name
            raise FatalValueError(
                "PruningCallback needs the oracle's objective in the logs of "
                f"the epochs. Received: objective={name!r}, which no epoch "
                "reported. Name a metric of `fit` as the objective."
            )
        self._write(ended=True)
        self._watched = None

    def _judge(self, epoch, sign):
        """Ends the training if this trial is too bad to go on."""
        own = Curve(self.losses).best(epoch)
        others = other_bests(*self._place(), epoch)
        share = None
        if self.threshold is not None and own > sign * self.threshold:
            # Of the others, we know nothing that was as bad.
            share = 1.0
        if self.percentile is not None and len(others) >= self.min_trials:
            allowed = np.quantile(
                others, self.percentile / 100, method="higher"
            )
            if own > allowed:
                share = share_of_better(own, others)
        if share is None:
            return
        self.share = share
        self.pruned_epoch = epoch
        self.model.stop_training = True
        if self.verbose:
            print_msg(
                f"Pruned after epoch {epoch + 1}: it counts as worse than "
                f"{share:.0%} of the other trials."
            )

    def _write(self, ended=False):
        curve = Curve(self.losses, self.pruned_epoch, self.share, ended)
        write_curve(*self._place(), curve)

    def _place(self) -> tuple[str, str]:
        """The trial's folder, and which of its models this is."""
        watched = self._watched
        folder: str = watched.tuner.get_trial_dir(watched.trial.trial_id)
        return folder, str(getattr(watched, "fold", 0))


def _watched_trial(model):
    """The callback by which a tuner follows a `fit`, or `None`."""
    _, callbacks = running_fit(model)
    for callback in getattr(callbacks, "callbacks", ()):
        if isinstance(callback, TunerCallback):
            return callback
    return None


def _check(watched):
    """Refuses tuners whose trials cannot be told to be pruned."""
    if getattr(watched.tuner, "executions_per_trial", 1) != 1:
        raise FatalValueError(
            "PruningCallback needs a tuner with `executions_per_trial=1`, "
            "since one run of several may be pruned. Received: "
            f"executions_per_trial={watched.tuner.executions_per_trial}. "
            "CrossValidationTuner repeats folds."
        )
    if isinstance(watched.tuner.oracle, AshaOracle):
        raise FatalValueError(
            "PruningCallback does not go with AshaOracle, which ends bad "
            "trials itself. Leave one of them out."
        )
    takes_all = isinstance(watched.tuner.oracle, BayesianOptimizationOracle)
    if hasattr(watched, "fold") and takes_all:
        raise FatalValueError(
            "PruningCallback does not go with Keras Tuner's "
            "BayesianOptimizationOracle here, which would take the score of "
            "another trial for that of a pruned one. Use BayesianOracle."
        )

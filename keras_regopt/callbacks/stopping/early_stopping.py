import copy
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import keras

from keras_regopt._keras import print_msg
from keras_regopt._registry import register
from keras_regopt._validate import (
    boolean,
    in_range,
    instance_of,
    integer,
    one_of,
)
from keras_regopt.callbacks._restart import restart
from keras_regopt.callbacks.monitoring._monitor import (
    Monitor,
    optional_number,
    verbosity,
)
from keras_regopt.callbacks.stopping._criterion import StoppingCriterion
from keras_regopt.callbacks.stopping._patience import UNITS, Clock
from keras_regopt.callbacks.stopping._stop_rule import StopRule

Criteria: TypeAlias = StoppingCriterion | Sequence[StoppingCriterion]


@register
class EarlyStopping(Monitor, keras.callbacks.EarlyStopping):
    """Ends the training when a metric has stopped improving.

    A drop-in for Keras' callback: the same arguments, attributes and results.
    Besides, its state can be saved and restored, so that a training in
    several parts stops where one in a single part would; NaN counts as the
    worst value, also in the first epoch; and the direction of more metrics is
    inferred. The arguments from `combine` on are by keyword, and say when else
    to stop. See `docs/callbacks.md` for what happens in detail.

    A value is an improvement if it is better than the best one so far by more
    than `min_delta`. The training ends with the first epoch that is no
    improvement and is at least the `patience`-th one in a row. Epochs whose
    logs lack the metric give a warning and are not counted.

    `patience=0` is the same as `patience=1`, unless there is a `criterion`, a
    threshold or `check_finite`: then patience plays no part. Patience never
    ends the training with the first epoch of all; the others may.

    Args:
        monitor: Name of the metric in the logs; or a list of names, each of
            which is watched by itself; or a dict of names and weights, whose
            weighted sum is watched. With a list, the best epoch and weights
            are those of the first name. Defaults to `"val_loss"`.
        min_delta: What a value must differ by to be better, a number; its
            sign is dropped. Defaults to `0`.
        patience: How long the training goes on without improvement, in
            `patience_unit`: an integer >= 0, or any number >= 0 of seconds.
            Defaults to `0`.
        verbose: `0` is silent, `1` tells the stop at the end, `2` the reason
            too. Defaults to `0`.
        mode: `"min"` or `"max"`, or `"auto"`, which infers it from the
            model's metric or from the end of the name. Defaults to
            `"auto"`.
        baseline: Optional number. Only what is better than it starts the
            count of epochs again. Defaults to `None`.
        restore_best_weights: Whether the model has the weights of its best
            epoch at the end of the training, rather than the last ones. If
            every value was NaN, it keeps the last ones. Defaults to `False`.
        start_from_epoch: Number of the first epoch that is looked at, an
            integer >= 0. Defaults to `0`.
        combine: Whether `"any"` or `"all"` of a list of monitors must give
            cause to stop in the same epoch. Defaults to `"any"`.
        smoothing: Weight of the past, in [0, 1), in a moving average that
            takes the place of the metric. Defaults to `0.0`, none.
        min_delta_mode: `"absolute"`, or `"relative"`: then `min_delta` is a
            fraction of the value to be beaten. Defaults to `"absolute"`.
        patience_unit: `"epochs"`, `"steps"` of the optimizer, or `"seconds"`
            of training. All are looked at when an epoch ends. Defaults to
            `"epochs"`.
        check_finite: Whether NaN and infinity end the training at once.
            Defaults to `False`.
        stopping_threshold: Optional number. A value that is better ends the
            training at once. Defaults to `None`.
        divergence_threshold: Optional number. A value that is worse, as NaN
            is, ends the training at once. Defaults to `None`.
        criterion: Optional `StoppingCriterion`, such as
            `GeneralizationLoss()`, or a list, any of which ends the training.
            Defaults to `None`.

    With a list of monitors, `mode`, `min_delta`, `baseline` and the two
    thresholds take a dict with the value for each name.

    Attributes:
        wait: Epochs, steps or seconds since the last improvement, of the first
            monitor.
        stopped_epoch: Number of the epoch that ended the training, counted
            from 0 as `fit` counts; `0` if none did.
        stop_reason: Why it ended, in words; `None` if this did not end it.
        best: The best value of the first monitor, `None` before there is one.
        best_epoch: Number of the epoch of the best value.
        best_weights: The weights of that epoch as a list of NumPy arrays, if
            they are to be restored.

    Raises:
        ValueError: If an argument is out of its range or contradicts another;
            in `fit`, if the direction of the metric cannot be inferred, or if
            one of several monitors is not in the logs.

    Examples:
        >>> import keras
        >>> stopper = EarlyStopping(monitor="loss", patience=2)
        >>> stopper.set_model(keras.Sequential())
        >>> stopper.on_train_begin()
        >>> for epoch, loss in enumerate([3.0, 2.0, float("nan"), 2.5]):
        ...     stopper.on_epoch_end(epoch, {"loss": loss})
        >>> stopper.model.stop_training, stopper.stopped_epoch
        (True, 3)
        >>> stopper.best, stopper.best_epoch
        (2.0, 1)
        >>> stopper.stop_reason
        'loss has not improved for 2 epochs'
    """

    state_attributes = (
        "metrics",
        "clock",
        "stopped_epoch",
        "stop_reason",
        "best_weights",
    )

    def __init__(
        self,
        monitor: str | Sequence[str] | Mapping[str, float] = "val_loss",
        min_delta: float | Mapping[str, float] = 0,
        patience: float = 0,
        verbose: int = 0,
        mode: str | Mapping[str, str] = "auto",
        baseline: float | Mapping[str, float | None] | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
        *,
        combine: str = "any",
        smoothing: float = 0.0,
        min_delta_mode: str = "absolute",
        patience_unit: str = "epochs",
        check_finite: bool = False,
        stopping_threshold: float | Mapping[str, float | None] | None = None,
        divergence_threshold: float | Mapping[str, float | None] | None = None,
        criterion: Criteria | None = None,
    ):
        self.patience_unit = one_of(self, "patience_unit", patience_unit, UNITS)
        count = in_range if patience_unit == "seconds" else integer
        super().__init__(
            patience=count(self, "patience", patience, low=0),
            verbose=verbosity(self, verbose),
            restore_best_weights=boolean(
                self, "restore_best_weights", restore_best_weights
            ),
            start_from_epoch=integer(
                self, "start_from_epoch", start_from_epoch, low=0
            ),
        )
        self.watch(monitor, mode, min_delta, combine, smoothing, min_delta_mode)
        self.baseline = baseline
        self.check_finite = boolean(self, "check_finite", check_finite)
        self.stopping_threshold = stopping_threshold
        self.divergence_threshold = divergence_threshold
        self.criterion = criterion
        self._rules = self._make_rules()
        self._clock = Clock(patience_unit)
        self.stop_reason = None

    def _make_rules(self):
        criteria = _criteria(self, self.criterion)
        baselines, stopping, divergence = (
            self.for_each(argument, value, optional_number, shared=False)
            for argument, value in (
                ("baseline", self.baseline),
                ("stopping_threshold", self.stopping_threshold),
                ("divergence_threshold", self.divergence_threshold),
            )
        )
        thresholds = [t for t in stopping + divergence if t is not None]
        alone = not (criteria or thresholds or self.check_finite)
        rules = [
            StopRule(
                metric,
                criteria,
                self.patience if self.patience > 0 or alone else None,
                self.patience_unit,
                self.check_finite,
                *limits,
            )
            for metric, *limits in zip(
                self._metrics, baselines, stopping, divergence, strict=True
            )
        ]
        for rule in rules:
            rule.refuse_contradictions(self)
        return rules

    def reset(self):
        super().reset()
        self.clock = None
        self.stop_reason = None

    @property
    def clock(self):
        """Where the clock that measures the patience stands."""
        return self._clock.read()

    @clock.setter
    def clock(self, reading):
        self._clock.reading = reading

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._clock.start(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self._clock.start_epoch(self.model)

    def on_train_end(self, logs=None):
        self._clock.stop()
        super().on_train_end(logs)
        if self.restore_best_weights and self.best_weights is not None:
            # For a training that goes on from them.
            restart(self.model)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        values = self.read(logs)
        if epoch < self.start_from_epoch:
            self._clock.lap(self.model)
            return
        passed = 0 if values is None else self._clock.lap(self.model)
        values = values or [None] * len(self._rules)
        for rule, value in zip(self._rules, values, strict=True):
            rule.look(epoch, logs, value, passed)
        # A restored state may tell of a stop that is now outlived.
        self.stopped_epoch, self.stop_reason = 0, None
        if self.restore_best_weights and self._rules[0].improved:
            # A copy, since some backends hand out the weights themselves.
            self.best_weights = copy.deepcopy(self.model.get_weights())
        alarms = [rule.alarm for rule in self._rules]
        causes = [rule.cause for rule in self._rules]
        enough = any if self.combine == "any" else all
        if any(alarms) or enough(causes):
            self._stop(epoch, "; ".join(filter(None, [*alarms, *causes])))

    def _stop(self, epoch, reason):
        self.stopped_epoch, self.stop_reason = epoch, reason
        self.model.stop_training = True
        # Keras' own message leaves out a stop in the first epoch.
        if self.verbose > 1 or (self.verbose == 1 and epoch == 0):
            print_msg(f"\nEpoch {epoch + 1}: {reason}.")

    def direction_found(self):
        for rule in self._rules:
            rule.refuse_contradictions(self)


def _criteria(owner, criterion):
    """What stands in the argument `criterion`, as a list."""
    if criterion is None:
        return []
    several = isinstance(criterion, (list, tuple))
    criteria = list(criterion) if several else [criterion]
    for one in criteria:
        instance_of(
            owner,
            "criterion",
            one,
            StoppingCriterion,
            "a StoppingCriterion, a list of them, or None",
        )
    return criteria

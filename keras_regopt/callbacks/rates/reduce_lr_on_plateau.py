import copy
from collections.abc import Mapping, Sequence

import keras

from keras_regopt._keras import print_msg
from keras_regopt._registry import register
from keras_regopt._validate import boolean, fail, in_range, integer
from keras_regopt.callbacks._restart import restart
from keras_regopt.callbacks.monitoring._monitor import Monitor, verbosity
from keras_regopt.callbacks.rates._rates import (
    cut_rate,
    has_schedule,
    put_factors,
    rate_holders,
    rates_by_key,
    schedule_factors,
    used_rate,
)


@register
class ReduceLROnPlateau(Monitor, keras.callbacks.ReduceLROnPlateau):
    """Cuts the learning rate when a metric has stopped improving.

    A drop-in for Keras' callback: the same arguments, attributes and results
    where the optimizer has a plain learning rate. It also works where
    the rate follows any `LearningRateSchedule`, which is then scaled by
    `keras_regopt.schedules.Scale`; under `LossScaleOptimizer`, the wrappers
    of `keras_regopt.optimizers` and `MultiOptimizer`, whose rates are all
    cut unless `optimizers` names some; its state, the cuts included, can be
    saved and restored; and NaN counts as the worst value, also in the first
    epoch. The arguments from `combine` on are by keyword. See
    `docs/callbacks.md`.

    The rate becomes `factor * rate` from the next epoch on, after `patience`
    epochs in a row whose value was not better than the best one by more than
    `min_delta`; `patience=0` is the same as `patience=1`. With a schedule,
    every cut compiles the train function once more. Epochs whose logs lack
    the metric give a warning and are not counted.

    The logs of every epoch get the rate of its last step, as
    `"learning_rate"`, or as `"learning_rate_<name>"` for every member of a
    `MultiOptimizer`. Where another callback has written it, it stays.

    Args:
        monitor: Name of the metric in the logs; or a list of names, each of
            which is watched by itself; or a dict of names and weights, whose
            weighted sum is watched. Defaults to `"val_loss"`.
        factor: What the rate is multiplied by, in (0, 1). Defaults to `0.1`.
        patience: Number of epochs without improvement after which the rate
            is cut, an integer >= 0. Defaults to `10`.
        verbose: `0` is silent, from `1` on every cut prints a message.
            Defaults to `0`.
        mode: `"min"` or `"max"`, or `"auto"`, which infers it from the
            model's metric or from the end of the name. Defaults to
            `"auto"`.
        min_delta: What a value must differ by to be better, a number; its
            sign is dropped. Defaults to `1e-4`.
        cooldown: The epoch after a cut with which the counting goes on, an
            integer >= 0; `0` is the same as `1`. Defaults to `0`.
        min_lr: No cut goes below this rate, a number >= 0. A schedule may
            fall below it by itself. Defaults to `0.0`.
        combine: Whether `"any"` or `"all"` of a list of monitors must have
            waited for `patience`. Defaults to `"any"`.
        smoothing: Weight of the past, in [0, 1), in a moving average that
            takes the place of the metric. Defaults to `0.0`, none.
        min_delta_mode: `"absolute"`, or `"relative"`: then `min_delta` is a
            fraction of the value to be beaten. Defaults to `"absolute"`.
        optimizers: Optional list of names of members of a `MultiOptimizer`:
            the ones whose rates are cut. Defaults to `None`, all.
        restore_best_weights: Whether the model goes on from the weights of
            its best epoch after each cut. What the optimizer remembers of the
            gradients stays; what it remembers of the weights does not.
            Defaults to `False`.

    With a list of monitors, `mode` and `min_delta` take a dict with the value
    for each name, and the best epoch and weights are those of the first name.

    Attributes:
        wait: Counted epochs since the last improvement or cut, of the first
            monitor.
        best: The best value of the first monitor, `None` before there is one.
        best_weights: The weights of its epoch as a list of NumPy arrays, if
            they are to be restored.
        cooldown_counter: Epochs of the cooldown that are left.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the
            direction of the metric cannot be inferred, if one of several
            monitors is not in the logs, if the rate to be cut is a function,
            or if the optimizer has no member of a name.

    Examples:
        >>> import keras
        >>> decay = keras.optimizers.schedules.ExponentialDecay(0.8, 10, 0.5)
        >>> model = keras.Sequential()
        >>> model.compile(keras.optimizers.SGD(decay))
        >>> plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1)
        >>> plateau.set_model(model)
        >>> plateau.on_train_begin()
        >>> for epoch, loss in enumerate([3.0, float("nan"), 3.0]):
        ...     plateau.on_epoch_end(epoch, {"loss": loss})
        >>> round(float(model.optimizer.learning_rate), 4)
        0.2
    """

    state_attributes = (
        "metrics",
        "cooldown_counter",
        "best_weights",
        "schedule_factors",
    )

    def __init__(
        self,
        monitor: str | Sequence[str] | Mapping[str, float] = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str | Mapping[str, str] = "auto",
        min_delta: float | Mapping[str, float] = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        *,
        combine: str = "any",
        smoothing: float = 0.0,
        min_delta_mode: str = "absolute",
        optimizers: Sequence[str] | None = None,
        restore_best_weights: bool = False,
    ):
        super().__init__(
            factor=in_range(self, "factor", factor, above=0, below=1),
            patience=integer(self, "patience", patience, low=0),
            verbose=verbosity(self, verbose),
            cooldown=integer(self, "cooldown", cooldown, low=0),
            min_lr=in_range(self, "min_lr", min_lr, low=0),
        )
        self.watch(monitor, mode, min_delta, combine, smoothing, min_delta_mode)
        self.optimizers = _names_of_members(self, optimizers)
        self.restore_best_weights = boolean(
            self, "restore_best_weights", restore_best_weights
        )
        self.best_weights = None
        self._factors, self._factors_are_due = None, False

    @property
    def schedule_factors(self):
        """What the optimizer's schedules are multiplied by, or are to be.

        `None` as long as there is no optimizer.
        """
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and not self._factors_are_due:
            self._factors = schedule_factors(optimizer)
        return self._factors

    @schedule_factors.setter
    def schedule_factors(self, factors):
        self._factors, self._factors_are_due = factors, factors is not None

    def reset(self):
        super().reset()
        self.best_weights = None
        self._factors_are_due = False

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._put_factors()
        if self.optimizers is not None:
            _require_members(self, self.model.optimizer)

    def on_epoch_begin(self, epoch, logs=None):
        # A state may be restored while training runs.
        self._put_factors()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        self._log_rates(logs)
        values = self.read(logs)
        if values is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self._stop_waiting()
        ran_out = [
            self._has_run_out(epoch, metric, metric.smoothed(value, "value"))
            for metric, value in zip(self._metrics, values, strict=True)
        ]
        enough = any if self.combine == "any" else all
        if enough(ran_out) and self._cut(epoch):
            self.cooldown_counter = self.cooldown
            self._stop_waiting()
            if self.best_weights is not None:
                self.model.set_weights(self.best_weights)
                restart(self.model)

    def _put_factors(self):
        if not self._factors_are_due:
            return
        self._factors_are_due = False
        if put_factors(self.model.optimizer, self._factors):
            self._make_train_function()

    def _log_rates(self, logs):
        for key, holder in rates_by_key(self.model.optimizer).items():
            # A plateau callback before this one may have cut the rate by now.
            logs.setdefault(key, used_rate(holder))

    def _stop_waiting(self):
        for metric in self._metrics:
            metric.wait = 0

    def _has_run_out(self, epoch, metric, value):
        """Takes note of a value; whether it calls for a cut."""
        metric.seen += 1
        if metric.is_better(value, metric.best):
            metric.keep(epoch, value)
            metric.wait = 0
            if self.restore_best_weights and metric is self._metrics[0]:
                # A copy, since some backends hand out the weights themselves.
                self.best_weights = copy.deepcopy(self.model.get_weights())
            return False
        if self.in_cooldown():
            return False
        metric.wait += 1
        return metric.wait >= self.patience

    def _cut(self, epoch):
        scaled = cut = False
        for name, holder in rate_holders(self.model.optimizer):
            if self.optimizers is not None and name not in self.optimizers:
                continue
            rate = cut_rate(holder, self.factor, self.min_lr)
            if rate is None:
                continue
            cut = True
            scaled = scaled or has_schedule(holder)
            if self.verbose > 0:
                print_msg(
                    f"\nEpoch {epoch + 1}: {type(self).__name__} reducing"
                    f"{' ' + name if name else ''} learning rate to {rate:.6g}."
                )
        if scaled:
            self._make_train_function()
        return cut

    def _make_train_function(self):
        # The old function has the schedule as it was traced into it.
        self.model.make_train_function(force=True)


def _names_of_members(owner, optimizers):
    if optimizers is None:
        return None
    good = isinstance(optimizers, (list, tuple)) and len(optimizers) > 0
    if not good or not all(isinstance(name, str) for name in optimizers):
        fail(
            owner,
            "optimizers",
            "a list of names of a MultiOptimizer's members, or None",
            optimizers,
        )
    return list(optimizers)


def _require_members(owner, optimizer):
    there = [name for name, _ in rate_holders(optimizer) if name]
    if not set(owner.optimizers) <= set(there):
        fail(
            owner,
            "optimizers",
            f"among the names in the model's MultiOptimizer: {there}",
            owner.optimizers,
        )

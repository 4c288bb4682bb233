import keras

from keras_regopt._keras import print_msg
from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.callbacks._monitor import (
    Monitor,
    monitor_mode,
    monitor_name,
    verbosity,
)
from keras_regopt.callbacks._rates import (
    cut_rate,
    has_schedule,
    rate_holders,
    used_rate,
)


@register
class ReduceLROnPlateau(Monitor, keras.callbacks.ReduceLROnPlateau):
    """Cuts the learning rate when a metric has stopped improving.

    A drop-in for Keras' callback: the same arguments, attributes and results
    where the optimizer has a plain learning rate. Beside that it works where
    the rate follows any `LearningRateSchedule`, which is then scaled by
    `keras_regopt.schedules.Scale`; under `LossScaleOptimizer`, the wrappers
    of `keras_regopt.optimizers` and `MultiOptimizer`, whose rates are all
    cut; its state can be saved and restored; and NaN counts as the worst
    value, also in the first epoch. See `docs/callbacks.md`.

    The rate becomes `factor * rate` from the next epoch on, after `patience`
    epochs in a row whose value was not better than the best one by more than
    `min_delta`; `patience=0` is the same as `patience=1`. With a schedule,
    every cut compiles the train function once more. Epochs whose logs lack
    the metric give a warning and are not counted.

    The logs of every epoch get the rate of its last step, as
    `"learning_rate"`, or as `"learning_rate_<name>"` for every member of a
    `MultiOptimizer`. Where another callback has written it, it stays.

    Args:
        monitor: Name of the metric in the logs. Defaults to `"val_loss"`.
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

    Attributes:
        wait: Counted epochs since the last improvement or cut.
        best: The best value, `None` before there is one.
        cooldown_counter: Epochs of the cooldown that are left.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the
            direction of the metric cannot be inferred, or if the rate to be
            cut is a function.

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

    state_attributes = ("wait", "best", "cooldown_counter")

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
    ):
        super().__init__(
            monitor=monitor_name(self, monitor),
            factor=in_range(self, "factor", factor, above=0, below=1),
            patience=integer(self, "patience", patience, low=0),
            verbose=verbosity(self, verbose),
            mode=monitor_mode(self, mode),
            min_delta=in_range(self, "min_delta", min_delta),
            cooldown=integer(self, "cooldown", cooldown, low=0),
            min_lr=in_range(self, "min_lr", min_lr, low=0),
        )

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        self._log_rates(logs)
        current = self.get_monitor_value(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._cut(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _log_rates(self, logs):
        for name, holder in rate_holders(self.model.optimizer):
            key = f"learning_rate_{name}" if name else "learning_rate"
            # A plateau callback before this one may have cut the rate by now.
            logs.setdefault(key, used_rate(holder))

    def _cut(self, epoch):
        scaled = cut = False
        for name, holder in rate_holders(self.model.optimizer):
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
            # The old function has the unscaled schedule traced into it.
            self.model.make_train_function(force=True)
        return cut

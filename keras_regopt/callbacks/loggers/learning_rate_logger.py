import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from keras_regopt._keras import held_rate, in_sync
from keras_regopt._registry import register
from keras_regopt._train_step import sync
from keras_regopt._types import Path
from keras_regopt._validate import fail, positive_int
from keras_regopt.callbacks.loggers._logger import Logger
from keras_regopt.callbacks.rates._rates import (
    next_rate,
    rates_by_key,
    used_rate,
)


@register
class LearningRateLogger(Logger):
    """Writes down the learning rate that was really used.

    The logs of every epoch, and so the history, get the rate of its last step:
    of a plain rate the value that it had when that step began, whatever other
    callbacks did to it since; of a schedule its value at that step. What is
    in the optimizer at the end of an epoch, which Keras' callbacks log, is the
    rate of the step to come.

    The name is `"learning_rate"`, or `"learning_rate_<name>"` for every
    member of a `MultiOptimizer`. Rates are found inside of
    `LossScaleOptimizer` and of wrappers. A rate that another callback has
    written under this name is replaced; let the logger stand after those.

    Args:
        log_dir: Optional folder for TensorBoard, to which it writes by itself
            on every backend. What Keras' `TensorBoard` callback writes as the
            rate is the optimizer's own, of the step to come. Defaults to
            `None`.
        update_freq: `"epoch"`, or an integer >= 1: then TensorBoard gets the
            rate of every so many batches, as `"batch_<name>"` by step, too.
            Defaults to `"epoch"`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> decay = keras.optimizers.schedules.ExponentialDecay(0.8, 1, 0.5)
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(decay), "mse")
        >>> history = model.fit(
        ...     np.zeros((8, 2)), np.zeros((8, 1)), batch_size=4, epochs=2,
        ...     verbose=0, callbacks=[LearningRateLogger()],
        ... )
        >>> [round(rate, 4) for rate in history.history["learning_rate"]]
        [0.4, 0.1]
    """

    def __init__(
        self, log_dir: Path | None = None, update_freq: str | int = "epoch"
    ):
        super().__init__(log_dir)
        if update_freq != "epoch":
            update_freq = positive_int(
                self, "update_freq", update_freq, remedy='Or pass "epoch".'
            )
            if log_dir is None:
                fail(self, "log_dir", "given with `update_freq`", log_dir)
        self.update_freq = update_freq
        self._batches = 0
        self._at_the_step = {}

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._batches = 0
        self._at_the_step = {}

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._at_the_step = {}

    def on_train_batch_begin(self, batch, logs=None):
        if self.update_freq != "epoch":
            if self._batches % self.update_freq == 0:
                self._write_batch()
            self._batches += 1
        if not in_sync(self.model):
            # Nobody can have assigned a rate since the last step.
            return
        for key, holder in rates_by_key(self.model.optimizer).items():
            rate = held_rate(holder)
            if isinstance(rate, keras.Variable):
                # A copy, which nothing waits for, unlike for a number.
                rate = ops.copy(ops.convert_to_tensor(rate))
            self._at_the_step[key] = rate

    def measure(self, logs):
        values = {}
        for key, holder in rates_by_key(self.model.optimizer).items():
            rate = self._at_the_step.get(key)
            if ops.is_tensor(rate):
                values[key] = float(ops.convert_to_numpy(rate))
            elif isinstance(rate, LearningRateSchedule):
                values[key] = used_rate(holder, rate)
            else:
                values[key] = used_rate(holder)
        return values

    def _write_batch(self):
        sync(self.model)
        optimizer = self.model.optimizer
        step = int(ops.convert_to_numpy(optimizer.iterations))
        self._file.write_scalars(
            step,
            {
                f"batch_{key}": next_rate(holder)
                for key, holder in rates_by_key(optimizer).items()
            },
        )

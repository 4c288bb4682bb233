import copy

import keras

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range, integer
from keras_regopt.callbacks._monitor import (
    Monitor,
    monitor_mode,
    monitor_name,
    verbosity,
)


@register
class EarlyStopping(Monitor, keras.callbacks.EarlyStopping):
    """Ends the training when a metric has stopped improving.

    A drop-in for Keras' callback: the same arguments, attributes and results.
    Beside that, its state can be saved and restored, so that a training in
    several parts stops where one in a single part would; NaN counts as the
    worst value, also in the first epoch; and the direction of more metrics is
    inferred. See `docs/callbacks.md` for what happens in detail.

    A value is an improvement if it is better than the best one so far by more
    than `min_delta`. The training ends with the first epoch that is no
    improvement and is at least the `patience`-th one in a row; `patience=0`
    is the same as `patience=1`. Epochs whose logs lack the metric give a
    warning and are not counted. The first epoch of all never ends the
    training.

    Args:
        monitor: Name of the metric in the logs. Defaults to `"val_loss"`.
        min_delta: What a value must differ by to be better, a number; its
            sign is dropped. Defaults to `0`.
        patience: Number of epochs without improvement after which the
            training ends, an integer >= 0. Defaults to `0`.
        verbose: `0` is silent, from `1` on a message is printed at the end.
            Defaults to `0`.
        mode: `"min"` or `"max"`, or `"auto"`, which infers it from the
            model's metric or from the end of the name. Defaults to
            `"auto"`.
        baseline: Optional number. Only what is better than it starts the
            count of epochs anew. Defaults to `None`.
        restore_best_weights: Whether the model has the weights of its best
            epoch at the end of the training, rather than the last ones. If
            every value was NaN, it keeps the last ones. Defaults to `False`.
        start_from_epoch: Number of the first epoch that is looked at, an
            integer >= 0. Defaults to `0`.

    Attributes:
        wait: Epochs since the last improvement.
        stopped_epoch: Number of the epoch that ended the training, counted
            from 0 as `fit` counts; `0` if none did.
        best: The best value, `None` before there is one.
        best_epoch: Number of the epoch of the best value.
        best_weights: The weights of that epoch as a list of NumPy arrays, if
            they are to be restored.

    Raises:
        ValueError: If an argument is out of its range; in `fit`, if the
            direction of the metric cannot be inferred.

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
    """

    state_attributes = (
        "wait",
        "stopped_epoch",
        "best",
        "best_epoch",
        "best_weights",
    )

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(
            monitor=monitor_name(self, monitor),
            min_delta=in_range(self, "min_delta", min_delta),
            patience=integer(self, "patience", patience, low=0),
            verbose=verbosity(self, verbose),
            mode=monitor_mode(self, mode),
            baseline=in_range(self, "baseline", baseline, optional=True),
            restore_best_weights=boolean(
                self, "restore_best_weights", restore_best_weights
            ),
            start_from_epoch=integer(
                self, "start_from_epoch", start_from_epoch, low=0
            ),
        )
        # Keras sets it only when the training begins.
        self.best_epoch = 0

    def on_epoch_end(self, epoch, logs=None):
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(current, self.best):
            self._keep(epoch, current)
        elif self.wait >= self.patience and not self._is_first(epoch):
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch, value):
        self.best = value
        self.best_epoch = epoch
        # A restored state may tell of a stop that is now outlived.
        self.stopped_epoch = 0
        if self.restore_best_weights:
            # A copy, since some backends hand out the weights themselves.
            self.best_weights = copy.deepcopy(self.model.get_weights())
        if self.baseline is None or self._is_improvement(value, self.baseline):
            self.wait = 0

    def _is_first(self, epoch):
        return epoch == 0 and self.best is None and self.wait == 1

"""What the callbacks share that watch one figure of the logs."""

import math
import numbers
import warnings

from keras import ops

from keras_regopt._validate import fail, instance_of, integer, one_of
from keras_regopt.callbacks._base import Callback

# What the end of a name says where Keras knows no direction.
_DIRECTION_OF_ENDING = {
    "loss": ops.less,
    "error": ops.less,
    "acc": ops.greater,
    "accuracy": ops.greater,
}


class Monitor(Callback):
    """Base that comes before a Keras callback with a `monitor`.

    It replaces Keras' reading of the monitored value, the direction and the
    comparison, so that NaN is the worst value and `min_delta` stays as given.
    """

    def get_monitor_value(self, logs):
        """The monitored value.

        Args:
            logs: The logs of an epoch.

        Returns:
            A Python float, or `None` after a warning if the logs lack it.

        Raises:
            ValueError: If the mode is `"auto"` and the direction is unknown,
                or if the value is not a single number.
        """
        logs = logs or {}
        if self.monitor_op is None:
            # Only now are all metrics of the model built.
            self._set_monitor_op(logs)
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} does nothing in this epoch, because "
                f"its monitor '{self.monitor}' is missing from the logs. "
                f"Available: {_names(logs)}",
                stacklevel=3,
            )
            return None
        return self._number(value)

    def _set_monitor_op(self, logs=None):
        if self.mode == "auto":
            self.monitor_op = self._inferred_direction()
        else:
            self.monitor_op = ops.less if self.mode == "min" else ops.greater
        if self.monitor_op is None:
            fail(
                self,
                "monitor",
                "a figure with a known direction while the mode is 'auto'",
                self.monitor,
                "Pass mode='min' or mode='max' if it is one of those in the "
                f"logs: {_names(logs or {})}.",
            )

    def _inferred_direction(self):
        name = self.monitor.removeprefix("val_")
        outputs = getattr(self.model, "output_names", None) or []
        for metric in _all_metrics(self.model):
            names = [metric.name] + [f"{o}_{metric.name}" for o in outputs]
            direction = getattr(metric, "_direction", None)
            if name in names and direction is not None:
                return ops.greater if direction == "up" else ops.less
        for ending, direction in _DIRECTION_OF_ENDING.items():
            if name.lower().endswith(ending):
                return direction
        return None

    def _is_improvement(self, monitor_value, reference_value):
        if math.isnan(monitor_value):
            return False
        if reference_value is None or math.isnan(reference_value):
            return True
        if self.monitor_op is ops.less:
            return monitor_value + self.min_delta < reference_value
        return monitor_value - self.min_delta > reference_value

    def _number(self, value):
        if isinstance(value, numbers.Real):
            return float(value)
        array = ops.convert_to_numpy(value)
        if array.size != 1:
            fail(
                self,
                "monitor",
                "a metric with a single number",
                self.monitor,
                f"Its value has the shape {array.shape}.",
            )
        return float(array.reshape(()))


def monitor_name(owner, monitor):
    """Checks the argument `monitor`.

    Args:
        owner: The callback under construction.
        monitor: The value to check.

    Returns:
        The name.

    Raises:
        ValueError: If it is not a string, or empty.
    """
    instance_of(owner, "monitor", monitor, str, "the name of one metric")
    if not monitor:
        fail(owner, "monitor", "the name of one metric", monitor)
    return monitor


def monitor_mode(owner, mode):
    """Checks the argument `mode`; see `monitor_name`."""
    return one_of(owner, "mode", mode, ("auto", "min", "max"))


def verbosity(owner, verbose):
    """Checks the argument `verbose`, for which many write `True`.

    Args:
        owner: The callback under construction.
        verbose: The value to check.

    Returns:
        The value as a Python `int`.

    Raises:
        ValueError: If it is not a whole number >= 0.
    """
    if isinstance(verbose, bool):
        return int(verbose)
    return integer(owner, "verbose", verbose, low=0)


def _all_metrics(model):
    """The metrics of a model, those inside of lists of metrics too."""
    metrics = []
    for metric in getattr(model, "metrics", None) or []:
        metrics.extend(getattr(metric, "metrics", None) or [metric])
    return metrics


def _names(logs):
    return ", ".join(sorted(logs)) or "nothing"

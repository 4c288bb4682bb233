"""Base of the callbacks that monitor metrics."""

import warnings

from keras_regopt._names import did_you_mean
from keras_regopt._validate import fail, in_range, integer, one_of
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.monitoring._monitored_metric import (
    MonitoredMetric,
    label_of,
    names,
)


def _of_the_first_metric(attribute):
    """An attribute of Keras' callbacks, which know a single metric."""

    def get(self):
        return getattr(self._metrics[0], attribute)

    def assign(self, value):
        # There is none yet when Keras' own constructor runs.
        for metric in self._metrics[:1]:
            setattr(metric, attribute, value)

    return property(get, assign)


class Monitor(Callback):
    """Base that comes before a Keras callback with a `monitor`.

    A subclass calls `watch` in its constructor and `read` in every epoch. The
    progress of the metrics is the entry `metrics` of its state.
    """

    _metrics: list[MonitoredMetric] = []
    _labels: list[str] = []

    monitor_op = _of_the_first_metric("monitor_op")
    best = _of_the_first_metric("best")
    best_epoch = _of_the_first_metric("best_epoch")
    wait = _of_the_first_metric("wait")

    def watch(self, monitor, mode, min_delta, combine, smoothing, delta_mode):
        """Checks and keeps the arguments that say what to watch, and how.

        Args:
            monitor: A name, a list of names, or a dict of names and weights.
            mode: `"auto"`, `"min"` or `"max"`, or a dict of these by name.
            min_delta: A number, or a dict of numbers by name.
            combine: `"any"` or `"all"`.
            smoothing: A number in [0, 1).
            delta_mode: `"absolute"` or `"relative"`.

        Raises:
            ValueError: If one of them is none of these.
        """
        terms = _terms(self, monitor)
        self._labels = [label_of(each) for each in terms]
        self.monitor = monitor
        self.mode = mode
        self.combine = one_of(self, "combine", combine, ("any", "all"))
        self.smoothing = in_range(self, "smoothing", smoothing, low=0, below=1)
        self.min_delta_mode = one_of(
            self, "min_delta_mode", delta_mode, ("absolute", "relative")
        )
        modes = self.for_each("mode", mode, _mode, default="auto")
        deltas = self.for_each("min_delta", min_delta, _size, default=0)
        if delta_mode == "relative" and max(deltas) >= 1:
            fail(
                self,
                "min_delta",
                "a fraction below 1 while `min_delta_mode` is 'relative'",
                min_delta,
                "One per cent is 0.01.",
            )
        self.min_delta = (
            dict(zip(self._labels, deltas, strict=True))
            if isinstance(min_delta, dict)
            else deltas[0]
        )
        self._metrics = [
            MonitoredMetric(
                self, *each, delta_mode == "relative", self.smoothing
            )
            for each in zip(terms, modes, deltas, strict=True)
        ]

    def for_each(self, argument, value, check, default=None, shared=True):
        """An argument that may differ from monitor to monitor.

        Args:
            argument: The name of the argument.
            value: A value for all monitors, or a dict of values by name.
            check: Function of the callback, the argument's name and a value.
            default: The value of the monitors that a dict leaves out.
            shared: Whether one value may serve several monitors.

        Returns:
            A list with the value of every metric.

        Raises:
            ValueError: If a value is not allowed or a name is no monitor.
        """
        labels = self._labels
        if isinstance(value, dict):
            if not set(value) <= set(labels):
                fail(self, argument, f"a dict with keys among {labels}", value)
            values = [value.get(label, default) for label in labels]
            return [check(self, argument, value) for value in values]
        if len(labels) > 1 and not shared and value is not None:
            fail(
                self,
                argument,
                "a dict with the names of monitors, where there are several",
                value,
            )
        return [check(self, argument, value)] * len(labels)

    @property
    def metrics(self):
        """The progress of every metric, by its label: a dict of dicts."""
        return {metric.label: metric.state() for metric in self._metrics}

    @metrics.setter
    def metrics(self, states):
        if set(states) != set(self._labels):
            raise ValueError(
                f"`state` of {type(self).__name__}.restore must be of the "
                f"monitors {self._labels}. Received: {sorted(states)}"
            )
        for metric in self._metrics:
            metric.load(states[metric.label])

    def reset(self):
        for metric in self._metrics:
            metric.reset()

    def read(self, logs):
        """The values of all metrics in the logs of an epoch.

        Args:
            logs: The logs.

        Returns:
            A list of Python floats, or `None` after a warning if the logs lack
            a monitor.

        Raises:
            ValueError: If a direction is unknown; if a value is not a single
                number; or if one of several monitors is missing that has not
                been there before.
        """
        for metric in self._metrics:
            if metric.monitor_op is None:
                # Only now are all metrics of the model built.
                metric.find_direction(self.model, logs)
                self.direction_found()
        if isinstance(self.monitor, str):
            # Keras lets a subclass compute it.
            value = self.get_monitor_value(logs)
            return None if value is None else [value]
        if self._is_one_missing(logs):
            return None
        return [metric.value_in(logs) for metric in self._metrics]

    def direction_found(self):
        """Called when the direction of one more metric is known."""

    def get_monitor_value(self, logs):
        """The value of the one monitor.

        Args:
            logs: The logs of an epoch.

        Returns:
            A Python float, or `None` after a warning if the logs lack it.
        """
        logs = logs or {}
        if logs.get(self.monitor) is None:
            self._warn_of(self.monitor, logs)
            return None
        return self._metrics[0].value_in(logs)

    def _is_one_missing(self, logs):
        lacking = [
            (metric, name)
            for metric in self._metrics
            for name in metric.terms
            if logs.get(name) is None
        ]
        # In an epoch without validation, a name may be missing by right.
        validated = any(key.startswith("val_") for key in logs)
        for metric, name in lacking:
            if not metric.seen and (validated or not name.startswith("val_")):
                fail(
                    self,
                    "monitor",
                    f"made of metrics in the logs, which hold: {names(logs)}",
                    name,
                    did_you_mean(name, logs, "'"),
                )
        for _, name in lacking[:1]:
            self._warn_of(name, logs)
        return bool(lacking)

    def _warn_of(self, name, logs):
        question = did_you_mean(name, logs, "'")
        warnings.warn(
            f"{type(self).__name__} does nothing in this epoch, because "
            f"its monitor '{name}' is missing from the logs. "
            f"Available: {names(logs)}{'. ' if question else ''}{question}",
            stacklevel=4,
        )


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


def optional_number(owner, argument, value):
    """A number, or `None`; see `in_range`."""
    return in_range(owner, argument, value, optional=True)


def _size(owner, argument, value):
    return abs(in_range(owner, argument, value))


def _mode(owner, argument, value):
    return one_of(owner, argument, value, ("auto", "min", "max"))


def _terms(owner, monitor):
    """A dict of names and weights for every metric to watch."""
    several = isinstance(monitor, (list, tuple, dict))
    found = list(monitor) if several else [monitor]
    named = all(isinstance(name, str) and name for name in found)
    if not found or not named or len(set(found)) < len(found):
        fail(
            owner,
            "monitor",
            "the name of a metric, a list of different names, or a dict of "
            "names and weights",
            monitor,
        )
    if not isinstance(monitor, dict):
        return [{name: 1} for name in found]
    for weight in monitor.values():
        if in_range(owner, "monitor", weight) == 0:
            fail(owner, "monitor", "a dict whose weights are not 0", monitor)
    return [dict(monitor)]

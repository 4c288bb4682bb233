import copy
import math
import numbers

from keras import ops

from keras_regopt._keras import direction_of
from keras_regopt._names import did_you_mean
from keras_regopt._validate import fail

# What the end of a name says where Keras knows no direction.
_DIRECTION_OF_ENDING = {
    "loss": ops.less,
    "error": ops.less,
    "acc": ops.greater,
    "accuracy": ops.greater,
}

_PROGRESS = ("best", "best_epoch", "wait", "seen", "averages", "memory")


class MonitoredMetric:
    """A monitored metric: its values so far.

    It is a metric, or a weighted sum of several. NaN is its worst value.

    Args:
        owner: The callback, for its errors.
        terms: Dict of names in the logs and their weights.
        mode: `"min"`, `"max"` or `"auto"`.
        min_delta: What a value must differ by to be better, at least 0.
        relative: Whether `min_delta` is a fraction of what is compared with.
        smoothing: Weight of the past in the moving average, in [0, 1).

    Attributes:
        label: What it is called in errors, messages and states.
        monitor_op: `ops.less` or `ops.greater`, `None` as long as the mode is
            `"auto"` and nothing was read.
        best: The best value, `None` before there is one.
        best_epoch: Number of the epoch of the best value.
        wait: How long it has not improved.
        seen: Number of the values that were counted.
        averages: The sum and the weight of every moving average.
        memory: What criteria remember of it, a dict of plain values.
    """

    def __init__(self, owner, terms, mode, min_delta, relative, smoothing):
        self.owner = type(owner).__name__
        self.label = label_of(terms)
        self.terms = terms
        self.min_delta = min_delta
        self.relative = relative
        self.smoothing = smoothing
        self.monitor_op = {"min": ops.less, "max": ops.greater}.get(mode)
        self.reset()

    def reset(self):
        self.best = None
        self.best_epoch = 0
        self.wait = 0
        self.seen = 0
        self.averages = {}
        self.memory = {}

    def state(self):
        return {name: copy.deepcopy(getattr(self, name)) for name in _PROGRESS}

    def load(self, state):
        for name in _PROGRESS:
            setattr(self, name, copy.deepcopy(state[name]))

    def find_direction(self, model, logs):
        """Sets `monitor_op` from what is known of the terms.

        Args:
            model: The model under training.
            logs: The logs of an epoch, for the error.

        Raises:
            ValueError: If it is not known, or differs between the terms.
        """
        directions = set()
        for name, weight in self.terms.items():
            direction = inferred_direction(model, name)
            if direction is None:
                refuse_misspelt(self.owner, name, logs)
                fail(
                    self.owner,
                    "monitor",
                    "a metric with a known direction while the mode is 'auto'",
                    name,
                    "Pass mode='min' or mode='max' if it is one of those in "
                    f"the logs: {names(logs)}.",
                )
            directions.add((direction is ops.less) == (weight > 0))
        if len(directions) > 1:
            fail(
                self.owner,
                "monitor",
                "a sum whose terms all improve in one direction while the "
                "mode is 'auto'",
                self.terms,
                "Give a negative weight to the terms that improve the other "
                "way, or pass mode='min' or mode='max'.",
            )
        self.monitor_op = ops.less if directions == {True} else ops.greater

    def value_in(self, logs):
        """The value in the logs of an epoch, which must hold all terms."""
        return self._sum({name: logs[name] for name in self.terms})

    def training_value_in(self, logs):
        """The same metric on the training data; see `value_in`."""
        found = {n: logs.get(n.removeprefix("val_")) for n in self.terms}
        for name, value in found.items():
            if value is None:
                fail(
                    self.owner,
                    "criterion",
                    "one that needs no training data where the logs lack "
                    f"'{name.removeprefix('val_')}'",
                    name,
                    f"The logs hold: {names(logs)}.",
                )
        return self._sum(found)

    def smoothed(self, value, kind):
        """The moving average with a new value in it.

        The first values weigh as much as later ones, as in TensorBoard. What
        is not finite comes back as it is and is kept out of the average.

        Args:
            value: The new value.
            kind: The name of the average.

        Returns:
            A Python float.
        """
        if not self.smoothing or not math.isfinite(value):
            return value
        total, weight = self.averages.get(kind, (0.0, 0.0))
        past, now = self.smoothing, 1 - self.smoothing
        total, weight = past * total + now * value, past * weight + now
        self.averages[kind] = [total, weight]
        return total / weight

    def is_better(self, value, reference):
        """Whether a value improves on another by more than `min_delta`."""
        if math.isnan(value):
            return False
        if reference is None or math.isnan(reference):
            return True
        delta = self.min_delta
        if self.relative:
            # An infinite reference has no fraction.
            delta *= abs(reference) if math.isfinite(reference) else 0
        return self.loss_of(value) + delta < self.loss_of(reference)

    def keep(self, epoch, value):
        """Takes a value as the best one."""
        self.best = value
        self.best_epoch = epoch

    def loss_of(self, value):
        """The value as one that is the better the smaller it is."""
        if math.isnan(value):
            return math.inf
        return value if self.monitor_op is ops.less else -value

    def _sum(self, found):
        return sum(
            self.terms[name] * self._number(name, value)
            for name, value in found.items()
        )

    def _number(self, name, value):
        if isinstance(value, numbers.Real):
            return float(value)
        array = ops.convert_to_numpy(value)
        if array.size != 1:
            fail(
                self.owner,
                "monitor",
                "a metric with a single number",
                name,
                f"Its value has the shape {array.shape}.",
            )
        return float(array.reshape(()))


def label_of(terms):
    """What a weighted sum is called in errors, messages and states."""
    return " + ".join(
        name if weight == 1 else f"{weight:g} * {name}"
        for name, weight in terms.items()
    )


def names(logs):
    """The names in logs as one piece of text."""
    return ", ".join(sorted(logs)) or "nothing"


def refuse_misspelt(owner, name, logs):
    """Raises an error if logs lack a name and hold one that is like it.

    Args:
        owner: The name of the callback.
        name: The name of the metric.
        logs: The logs of an epoch.

    Raises:
        ValueError: If it is so.
    """
    remedy = did_you_mean(name, logs, "'")
    if name not in logs and remedy:
        allowed = f"made of metrics in the logs, which hold: {names(logs)}"
        fail(owner, "monitor", allowed, name, remedy)


def inferred_direction(model, name):
    """`ops.less` or `ops.greater`, whichever is better; `None` if unknown."""
    name = name.removeprefix("val_")
    outputs = getattr(model, "output_names", None) or []
    for metric in _all_metrics(model):
        names = [metric.name] + [f"{o}_{metric.name}" for o in outputs]
        direction = direction_of(metric)
        if name in names and direction is not None:
            return ops.greater if direction == "up" else ops.less
    for ending, direction in _DIRECTION_OF_ENDING.items():
        if name.lower().endswith(ending):
            return direction
    return None


def _all_metrics(model):
    """The metrics of a model, those inside of lists of metrics too."""
    metrics = []
    for metric in getattr(model, "metrics", None) or []:
        metrics.extend(getattr(metric, "metrics", None) or [metric])
    return metrics

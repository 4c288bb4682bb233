"""Error curves read from the history of a training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keras_regopt._names import did_you_mean
from keras_regopt._validate import fail
from keras_regopt.diagnosis._metric_names import (
    is_accuracy,
    is_bounded,
    is_decibel,
    is_mean_error,
    is_of_one_class,
    is_score,
    is_unbounded,
)

# What `FitMonitor` adds to the logs: errors without dropout and the like.
CLEAN = "clean_"

# As many epochs are the fewest of which a direction can be told: a steady
# fall of five comes about by chance once in 60 times.
_LEAST_FOR_DIRECTION = 5


@dataclass(frozen=True)
class Curves:
    """The error on training and dev data, epoch by epoch.

    Attributes:
        metric: The metric's name in the history.
        is_score: Whether higher is better, so that the error is one minus
            the metric.
        epochs: The epochs' numbers, from 1.
        train: The training errors; `nan` where there is none.
        dev: The dev errors; `nan` where there is none.
        measured: Where a dev error was taken, finite or not.
        form: How an error follows from the metric: `"error"` as it is,
            `"score"` from 1, `"percent"` from 100, `"decibel"` as the squared
            error that it stands for, `"negative"` with its sign changed.
    """

    metric: str
    is_score: bool
    epochs: np.ndarray
    train: np.ndarray
    dev: np.ndarray
    measured: np.ndarray
    form: str = "error"


def read_history(owner, history):
    """The curves by name, and the epochs' numbers.

    Args:
        owner: The function to name in errors.
        history: What `fit` returned, or its `history` dict.

    Returns:
        A dict of names and lists, and an array of epochs, counted from 1.

    Raises:
        ValueError: If this is no history.
    """
    allowed = "what `fit` returned, or its `history` dict of lists"
    epochs = getattr(history, "epoch", None)
    values = getattr(history, "history", history)
    if not isinstance(values, Mapping):
        fail(owner, "history", allowed, type(history).__name__)
    lists = {
        name: list(curve)
        for name, curve in values.items()
        if isinstance(curve, (list, tuple, np.ndarray))
    }
    count = max((len(curve) for curve in lists.values()), default=0)
    if not count:
        fail(owner, "history", allowed, dict(values), "It holds no epoch.")
    if epochs is None or len(epochs) != count:
        epochs = range(count)
    return lists, np.array(epochs, dtype=int) + 1


def choose_metric(owner, names, monitor):
    """The metric to judge by.

    Args:
        owner: The object that asks, for errors.
        names: The names in the history.
        monitor: A metric's name, or `"auto"`: the first accuracy, else the
            first score, else the first error metric, else the loss. One with
            a dev curve comes before one without.

    Returns:
        A name.

    Raises:
        ValueError: If the history holds no such metric.
    """
    bare = [n for n in names if not n.startswith(("val_", CLEAN))]
    if monitor != "auto":
        name = monitor.removeprefix("val_")
        if name not in bare:
            allowed = "one of " + ", ".join(map(repr, ["auto", *bare]))
            remedy = did_you_mean(name, bare, "'")
            fail(owner, "monitor", allowed, monitor, remedy)
        return name
    with_dev = [name for name in bare if f"val_{name}" in names]
    for candidates in (with_dev, bare):
        for wanted in (is_accuracy, _is_fraction, is_mean_error):
            for name in candidates:
                if wanted(name) and "top_k" not in name:
                    return name
        if "loss" in candidates:
            return "loss"
        for name in candidates:
            if name.endswith("_loss"):
                return name
    remedy = 'Name the metric to judge by, as in monitor="loss".'
    fail(owner, "monitor", f"one of {bare}", monitor, remedy)


def _is_fraction(name):
    return is_score(name) and not is_unbounded(name)


def moved_upward(lists, metric):
    """Whether training moved a metric up; `None` where that cannot be told.

    It can where the loss fell meanwhile, and where the metric's order by
    epoch is so steady that chance gives it once in 40 times.
    """
    from scipy.stats import kendalltau

    if metric not in lists or "loss" not in lists:
        return None
    loss = _by_epoch(lists["loss"], len(lists[metric]))
    pairs = [
        (a, b)
        for a, b in zip(lists[metric], loss, strict=False)
        if a is not None and b is not None and np.isfinite([a, b]).all()
    ]
    if len(pairs) < _LEAST_FOR_DIRECTION or pairs[-1][1] >= pairs[0][1]:
        return None
    values = [a for a, _ in pairs]
    found = kendalltau(range(len(values)), values)
    if not found.pvalue < 0.025:
        return None
    return bool(found.statistic > 0)


def one_class_only(lists, metric):
    """What shows that a class is never predicted, or an empty string.

    That is the name of a dev metric that ends at zero, or of the accuracy
    itself where it is high and the same in every epoch.
    An empty string stands for neither, or for a `metric` that is no accuracy.
    """
    if not is_accuracy(metric):
        return ""
    for name, curve in lists.items():
        ends = [value for value in curve if value is not None][-1:]
        if name.startswith("val_") and is_of_one_class(name) and ends == [0]:
            return name
    dev = [v for v in lists.get(f"val_{metric}", []) if v is not None]
    train = [v for v in lists[metric] if v is not None]
    many = len(dev) > 4 and len(train) > 4
    # The first epoch may begin elsewhere.
    still = many and len(set(dev)) == 1 and np.ptp(train[1:]) < 1e-6
    alike = still and 0.8 < dev[0] < 1 and abs(train[-1] - dev[0]) < 0.02
    return metric if alike else ""


def error_curves(lists, epochs, metric, score):
    """The errors of one metric on training and dev data.

    Args:
        lists: The dict that `read_history` returned.
        epochs: The epochs that `read_history` returned.
        metric: The metric's name.
        score: Whether higher is better.

    Returns:
        A `Curves`.
    """
    train = _by_epoch(lists.get(metric, []), len(epochs))
    dev = _by_epoch(lists.get(f"val_{metric}", []), len(epochs))
    measured = np.array([value is not None for value in dev], dtype=bool)
    form = _form(metric, score, [v for v in train + dev if v is not None])
    return Curves(
        metric,
        form in ("score", "percent"),
        epochs,
        _errors(train, form),
        _errors(dev, form),
        measured,
        form,
    )


def _form(metric, score, values):
    if not score:
        return "error"
    if is_decibel(metric):
        return "decibel"
    highest = max((v for v in values if np.isfinite(v)), default=0)
    if highest <= 1 + 1e-6:
        return "score"
    return "percent" if is_bounded(metric) and highest <= 100 else "negative"


def _by_epoch(values, count):
    """A value for each epoch, `None` between those that were measured."""
    values = list(values)
    if not values or len(values) == count:
        return values or [None] * count
    every = max(count // len(values), 1)
    filled = [None] * count
    for number, value in enumerate(values):
        filled[min((number + 1) * every, count) - 1] = value
    return filled


def to_errors(values, form):
    """Errors of a metric's values; see `Curves.form`."""
    if form == "score":
        return 1 - values
    if form == "percent":
        return 1 - values / 100
    if form == "decibel":
        return 10 ** (-values / 10)
    return -values if form == "negative" else values


def _errors(values, form):
    return to_errors(
        np.array([np.nan if v is None else float(v) for v in values]), form
    )

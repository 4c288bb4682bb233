"""Error curves read from the history of a training."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keras_regopt._names import did_you_mean
from keras_regopt._validate import fail

# Words in a metric's name that say that higher is better. The error is then
# one minus the metric.
_SCORE = re.compile(
    r"(^|_)(mcc|matthews|kappa|map|mean_average_precision|ndcg|mrr|bleu|"
    r"rouge|ssim|hit_rate|pearson|spearman|correlation|balanced_accuracy|"
    r"acc|accuracy|auc|cosine_similarity|dice|f1|f1_score|fbeta_score|"
    r"io_u|iou|precision|r2|r2_score|recall|sensitivity|specificity)(_|$)",
    re.I,
)
_ACCURACY = re.compile(r"(^|_)(acc|accuracy)$", re.I)
_BY_CLASS = re.compile(
    r"(^|_)(recall|precision|f1|f1_score|sensitivity|specificity|"
    r"true_positives|true_negatives)(_\d+)?$",
    re.I,
)
_ERROR = re.compile(r"(^|_)(mae|mse|rmse|error)$", re.I)
_LOWER = re.compile(
    r"(^|_)(loss|error|mae|mse|rmse|msle|rmsle|mape|smape|nll|hinge|poisson|"
    r"log_?cosh|huber|kl_divergence|kld|perplexity|brier|wer|cer|deviance|"
    r"false_positives|false_negatives|\w*crossentropy)(_|$)",
    re.I,
)
_NOT_SCORE = re.compile(r"(^|_)(loss|error)(_|$)", re.I)


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
    """

    metric: str
    is_score: bool
    epochs: np.ndarray
    train: np.ndarray
    dev: np.ndarray
    measured: np.ndarray


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
    bare = [name for name in names if not name.startswith("val_")]
    if monitor != "auto":
        name = monitor.removeprefix("val_")
        if name not in bare:
            allowed = "one of " + ", ".join(map(repr, ["auto", *bare]))
            remedy = did_you_mean(name, bare, "'")
            fail(owner, "monitor", allowed, monitor, remedy)
        return name
    with_dev = [name for name in bare if f"val_{name}" in names]
    for candidates in (with_dev, bare):
        for wanted in (_ACCURACY.search, is_score, _ERROR.search):
            for name in candidates:
                if wanted(name) and "top_k" not in name:
                    return name
        if "loss" in candidates:
            return "loss"
    remedy = 'Name the metric to judge by, as in monitor="loss".'
    fail(owner, "monitor", f"one of {bare}", monitor, remedy)


def is_score(name):
    """Whether a metric's name says that higher is better."""
    return bool(_SCORE.search(name)) and not _NOT_SCORE.search(name)


def has_direction(name):
    """Whether a metric's name says which direction is better."""
    return is_score(name) or bool(_LOWER.search(name))


def one_class_only(lists, metric):
    """The name of the dev metric that shows that a class is never predicted.

    An empty string if there is none, or if `metric` is not an accuracy.
    """
    if not _ACCURACY.search(metric):
        return ""
    for name, curve in lists.items():
        ends = [value for value in curve if value is not None][-1:]
        if name.startswith("val_") and _BY_CLASS.search(name) and ends == [0]:
            return name
    return ""


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
    train = _by_epoch(lists[metric], len(epochs))
    dev = _by_epoch(lists.get(f"val_{metric}", []), len(epochs))
    measured = np.array([value is not None for value in dev], dtype=bool)
    return Curves(
        metric,
        score,
        epochs,
        _errors(train, score),
        _errors(dev, score),
        measured,
    )


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


def _errors(values, score):
    errors = np.array([np.nan if v is None else float(v) for v in values])
    return 1 - errors if score else errors

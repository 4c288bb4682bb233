"""Errors of a model, row by row, without dropout, augmentation or penalties."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_regopt._validate import fail
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._metric_names import is_accuracy, kind_of
from keras_regopt.diagnosis._sampling import Z, exact, from_rows
from keras_regopt.diagnosis._targets import labels_of

# So many training rows, drawn at random, tell the training error.
MOST_ROWS = 2000


@dataclass(frozen=True)
class RowErrors:
    """What a model makes of the rows of one part of the data.

    Attributes:
        kind: `"accuracy"`, `"mse"`, `"mae"` or `"rmse"`.
        errors: The error of each row.
        labels: The class of each row, or `None`.
        groups: The group of each row, or `None`.
    """

    kind: str
    errors: np.ndarray
    labels: Any = None
    groups: np.ndarray | None = None

    def estimate(self, balanced=False):
        """The mean error with its bounds; of each class alike if balanced."""
        weights = None
        if balanced:
            _, number, counts = np.unique(
                self.labels, return_inverse=True, return_counts=True
            )
            weights = 1 / counts[number]
        root = self.kind == "rmse"
        return from_rows(self.errors, weights, self.groups, root)

    def largest_class(self):
        """The fraction of the largest class."""
        _, counts = np.unique(self.labels, return_counts=True)
        return counts.max() / counts.sum()

    def answers_the_largest_class(self):
        """Whether chance may make it no better than one constant answer."""
        share = self.largest_class()
        half = Z * np.sqrt(share * (1 - share) / len(self.errors))
        return 1 - self.errors.mean() <= share + half


def is_data(value):
    """Whether this is a pair `(x, y)` of data."""
    return (
        isinstance(value, tuple)
        and len(value) in (2, 3)
        and all(np.ndim(_first(part)) >= 1 for part in value[:2])
    )


def pair(owner, argument, value):
    """The pair `(x, y)` that an argument must be."""
    if not is_data(value):
        allowed = "a pair (x, y) of arrays, or of nested arrays"
        fail(owner, argument, allowed, _shown(value))
    x, y = value[:2]
    _nested.count(owner, {"x": x, "y": y})
    return x, y


def sample(x, y, most=MOST_ROWS):
    """At most so many rows, drawn with a fixed seed, and their numbers."""
    count = _nested.count("diagnose", {"x": x, "y": y})
    rows = np.arange(count)
    if count > most:
        rows = np.random.default_rng(0).choice(count, most, replace=False)
        rows.sort()
        x, y = _nested.take(x, rows), _nested.take(y, rows)
    return x, y, rows


def predictions(model, x):
    """What a model predicts, as a list of an array for each output."""
    found = model.predict(x, batch_size=256, verbose=0)
    if isinstance(found, dict):
        names = getattr(model, "output_names", None) or list(found)
        return [np.asarray(found[n]) for n in names if n in found]
    return [np.asarray(v) for v in keras.tree.flatten(found)]


def targets(model, y):
    """The targets of each output, in the order of `predictions`."""
    if isinstance(y, dict):
        names = getattr(model, "output_names", None) or list(y)
        return [y.get(name) for name in names]
    return list(y) if _nested.is_nest(y) else [y]


def kind_to_measure(metric, facts, output):
    """The kind of row errors that a metric or a loss stands for, or `""`."""
    loss = facts.losses.get(output, "")
    if is_accuracy(metric):
        return "accuracy"
    kind = kind_of(metric)
    if kind in ("mse", "mae", "rmse"):
        return kind
    if metric and metric != "loss" and not metric.endswith("_loss"):
        return ""
    if facts.classes.get(output):
        return "accuracy"
    return loss if loss in ("mse", "mae") else "mse" if loss else ""


def row_errors(kind, y, y_pred, groups=None):
    """The `RowErrors` of predictions, or `None` if they do not fit."""
    y, y_pred = _nested.to_numpy(y), np.asarray(y_pred, "float64")
    if kind == "accuracy":
        labels, answers = labels_of(y), _answers(y, y_pred)
        if labels is not None and labels.shape == y_pred.shape != answers.shape:
            # Several labels of yes or no.
            answers = (y_pred > _threshold(y_pred)).astype(int)
        if labels is None or labels.shape != answers.shape:
            return None
        wrong = (labels != answers).astype(float)
        if wrong.ndim > 1:
            return RowErrors(kind, _by_row(wrong), None, groups)
        return RowErrors(kind, wrong, labels, groups)
    if y.ndim + 1 == y_pred.ndim and y_pred.shape[-1] == 1:
        y = y[..., None]
    if y.shape != y_pred.shape:
        return None
    misses = np.abs(y.astype("float64") - y_pred)
    squares = misses if kind == "mae" else misses**2
    return RowErrors(kind, _by_row(squares), None, groups)


def evaluated(model, x, y, metric, to_errors):
    """A metric that `model.evaluate` takes, as an `Estimate` without bounds."""
    found = model.evaluate(x, y, batch_size=256, verbose=0, return_dict=True)
    if metric not in found:
        return None
    return exact(float(to_errors(float(found[metric]))))


def _answers(y, y_pred):
    if y_pred.ndim == 1:
        y_pred = y_pred[:, None]
    if y_pred.shape[-1] > 1:
        return y_pred.argmax(axis=-1)
    y_pred = y_pred[..., 0]
    negative = -1 if np.size(y) and np.min(y) < 0 else 0
    return np.where(y_pred > _threshold(y_pred), 1, negative)


def _threshold(y_pred):
    # Logits fall on both sides of zero, and beyond 0..1.
    logits = y_pred.size and (y_pred.min() < 0 or y_pred.max() > 1)
    return 0.0 if logits else 0.5


def _by_row(values):
    return values.reshape(len(values), -1).mean(axis=1)


def _first(value):
    leaves = list(_nested.leaves(value, "x").values())
    return _nested.to_numpy(leaves[0]) if leaves else 0


def _shown(value):
    if isinstance(value, tuple):
        return tuple(np.shape(part) for part in value)
    return type(value).__name__

"""The parts of the data that a diagnosis was given, and their errors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_regopt._validate import fail, in_range, integer
from keras_regopt.diagnosis import _evaluate, _nested
from keras_regopt.diagnosis._curves import to_errors
from keras_regopt.diagnosis._facts import Facts, facts_of, restores_best
from keras_regopt.diagnosis._sampling import exact

_HELD_OUT = ("train_dev", "test")


@dataclass(frozen=True)
class Given:
    """What a diagnosis is made from besides the history and the rules.

    Attributes:
        facts: What the model and the callbacks tell.
        errors: Errors by part, as numbers.
        data: Pairs `(x, y)` by part.
        y: The training targets, or `None`.
        groups: The group of each dev row, or `None`.
        dev_rows: The number of dev rows, or `None`.
        restored: The epoch whose weights were restored, or `None`.
        early: Whether a callback, not known, ended the training.
    """

    facts: Facts = field(default_factory=Facts)
    errors: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    y: Any = None
    groups: Any = None
    dev_rows: int | None = None
    restored: int | None = None
    early: bool = False

    def targets(self, index):
        """The training targets of an output, or `None`."""
        y = self.y
        if y is None and "train" in self.data:
            y = self.data["train"][1]
        if y is None:
            return None
        listed = _evaluate.targets(self.facts.model, y)
        if index >= len(listed):
            return None
        return None if listed[index] is None else listed[index]

    def rows(self, part):
        """The number of rows of a part, or `None`."""
        if part in self.data:
            return _nested.count("diagnose", {"x": self.data[part][0]})
        return self.dev_rows if part == "dev" else None


def read(owner, model, callbacks, parts, numbers, y, groups, dev_rows, early):
    """Checks what `diagnose` was given, and gathers it in a `Given`."""
    data, errors = {}, {}
    for part, value in parts.items():
        if value is not None:
            data[part] = _evaluate.pair(owner, part, value)
    for part, value in numbers.items():
        if value is None:
            continue
        if part in _HELD_OUT and _evaluate.is_data(value):
            data[part] = _evaluate.pair(owner, part, value)
        elif part in _HELD_OUT and _is_curve(value):
            errors[part] = np.asarray(value, "float64")
        else:
            what = "a number, a curve by epoch, or a pair (x, y)"
            remedy = f"It may be {what}." if part in _HELD_OUT else ""
            errors[part] = in_range(owner, part, value, remedy=remedy)
    if data and model is None:
        part = next(iter(data))
        fail(owner, "model", f"given with the data of `{part}`", None)
    dev_rows = integer(owner, "dev_rows", dev_rows, low=1, optional=True)
    if groups is not None:
        groups = _nested.to_numpy(groups)
        rows = len(data["dev"][1]) if "dev" in data else None
        if groups.ndim != 1 or (rows is not None and len(groups) != rows):
            fail(owner, "groups", "an array with the group of each dev row",
                 f"array of shape {groups.shape}")  # fmt: skip
    facts = facts_of(model, callbacks or ())
    restored = restores_best(callbacks or ())
    early = early and callbacks is None
    return Given(facts, errors, data, y, groups, dev_rows, restored, early)


def _is_curve(value):
    if isinstance(value, (int, float, str)) or np.ndim(value) != 1:
        return False
    return np.asarray(value).dtype.kind in "iuf" and len(value) > 0


class Measured:
    """The errors of a model on the parts of the data, computed once."""

    def __init__(self, given):
        self.given, self._predicted = given, {}

    def row_errors(self, part, kind, index):
        """The `RowErrors` of an output on a part, or `None`."""
        if part not in self.given.data or not kind:
            return None
        y, y_pred, groups = self._predict(part)
        if index >= len(y_pred) or index >= len(y) or y[index] is None:
            return None
        return _evaluate.row_errors(kind, y[index], y_pred[index], groups)

    def evaluated(self, part, curves):
        """A metric that has no error by row, as an `Estimate`, or `None`."""
        if part not in self.given.data:
            return None
        x, y = self.given.data[part]
        if part == "train":
            x, y, _ = _evaluate.sample(x, y)

        def error(value):
            return to_errors(value, curves.form)

        metric, model = curves.metric, self.given.facts.model
        return _evaluate.evaluated(model, x, y, metric, error)

    def _predict(self, part):
        if part not in self._predicted:
            x, y = self.given.data[part]
            groups = self.given.groups if part == "dev" else None
            if part == "train":
                x, y, _ = _evaluate.sample(x, y)
            model = self.given.facts.model
            y_pred = _evaluate.predictions(model, x)
            y = _evaluate.targets(model, y)
            self._predicted[part] = y, y_pred, groups
        return self._predicted[part]


def by_epoch(curve, count, at):
    """The error of a curve at the judged epochs, as an `Estimate`."""
    if np.ndim(curve) == 0:
        return exact(float(curve))
    index = len(curve) - 1
    if at not in ("last", count):
        index = min(max(round(at * len(curve) / count) - 1, 0), index)
    return exact(float(curve[index]))

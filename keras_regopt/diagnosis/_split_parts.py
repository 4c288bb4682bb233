"""The parts that a split makes."""

from typing import Any, NamedTuple

from keras_regopt._html import table
from keras_regopt._repr import show


class _Pair(NamedTuple):
    x: Any
    y: Any


class Part(_Pair):
    """One part of a data set: the pair `(x, y)`, with its rows.

    `indices` holds the rows of the original arrays, in the order of `x` and
    `y`, so that further arrays can be split alike.
    """

    indices: Any = None

    def __new__(cls, x: Any, y: Any = None, indices: Any = None):
        part = super().__new__(cls, x, y)
        part.indices = indices
        return part

    def __repr__(self):
        return f"Part(x={show(self.x)}, y={show(self.y)})"


class Split(NamedTuple):
    """The three parts that `split` makes, each a pair `(x, y)`."""

    train: Part
    dev: Part
    test: Part

    def _repr_html_(self):
        return _table(self)


class SplitWithTrainDev(NamedTuple):
    """The four parts that `split(train_dev=...)` makes, each a pair `(x, y)`.

    Train and train-dev parts are of one source, where dev and test parts may be
    replaced by data of another; see `diagnose(train_dev=...)`.
    """

    train: Part
    train_dev: Part
    dev: Part
    test: Part

    def _repr_html_(self):
        return _table(self)


def _table(parts):
    rows = [
        [name, _rows(part), show(part.x), show(part.y)]
        for name, part in zip(parts._fields, parts, strict=True)
    ]
    return table(["part", "rows", "x", "y"], rows)


def _rows(part):
    return "" if part.indices is None else len(part.indices)

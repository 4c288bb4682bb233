"""What a class says of the values of its arguments that are worth trying."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from keras_regopt._validate import boolean, fail, in_range, integer


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers between two bounds, for a search.

    A class of your own states the ranges of its arguments in a dict,
    `search_space = {"rate": Range(1e-6, 1e-2, log=True)}`, which
    `keras_regopt.tuning.choose` reads.

    Args:
        low: The lowest number.
        high: The highest number, above `low`.
        log: Whether to search on a logarithmic scale, for which `low` must be
            above 0. Defaults to `False`.
        whole: Whether the numbers are integers. Defaults to `False`.

    Raises:
        ValueError: If the bounds are no such numbers, or `log` or `whole` no
            boolean.

    Examples:
        >>> Range(1e-4, 1e-1, log=True)
        Range(low=0.0001, high=0.1, log=True, whole=False)
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self):
        boolean(self, "log", self.log)
        number = integer if boolean(self, "whole", self.whole) else in_range
        number(self, "low", self.low)
        number(self, "high", self.high)
        if self.log:
            remedy = "A logarithmic scale has no 0."
            in_range(self, "low", self.low, above=0, remedy=remedy)
        in_range(self, "high", self.high, above=self.low)

    def __contains__(self, value):
        return (
            isinstance(value, int if self.whole else (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
            and self.low <= value <= self.high
        )

    def ends(self):
        """The lowest and the highest value."""
        return self.low, self.high


@dataclasses.dataclass(frozen=True)
class Options:
    """A few values, for a search.

    Args:
        values: Numbers of one type, or strings, or booleans; two at least.

    Raises:
        ValueError: If these are no such values.

    Examples:
        >>> Options([3, 5, 7])
        Options(values=(3, 5, 7))
    """

    values: Sequence[Any]

    def __post_init__(self):
        allowed = "two or more numbers, strings or booleans of one type"
        values = self.values
        if not isinstance(values, (list, tuple)) or len(values) < 2:
            fail(self, "values", allowed, values)
        kinds = {type(value) for value in values}
        if len(kinds) > 1 or not kinds <= {bool, int, float, str}:
            fail(self, "values", allowed, values)
        if len(set(values)) < len(values):
            fail(self, "values", "different from each other", values)
        object.__setattr__(self, "values", tuple(values))

    def __contains__(self, value):
        return value in self.values

    def ends(self):
        """The first and the last value."""
        return self.values[0], self.values[-1]


@dataclasses.dataclass(frozen=True)
class Nested:
    """A choice among classes, for an argument that takes an object.

    Args:
        classes: The classes; their own search spaces are searched, too.

    Raises:
        ValueError: If these are no classes.

    Examples:
        >>> import keras
        >>> Nested([keras.optimizers.SGD]).classes[0].__name__
        'SGD'
    """

    classes: Sequence[type]

    def __post_init__(self):
        classes = self.classes
        good = isinstance(classes, (list, tuple)) and len(classes) > 0
        if not good or not all(isinstance(cls, type) for cls in classes):
            fail(self, "classes", "a list of classes", classes)
        object.__setattr__(self, "classes", tuple(classes))

"""Hyperparameters as points of a unit cube and as features of a model."""

from typing import Any

import numpy as np

_CLASSES = ("Choice", "Boolean")
# Different classes lie 1 apart, as the ends of a range do.
_CLASS_SCALE = 0.5**0.5


class Encoding:
    """Turns points of the unit cube into values and into features.

    A point has one coordinate for each hyperparameter that can vary. Numbers
    have one feature, in 0..1, on their logarithmic scale if they have one.
    Classes have a feature each, of which one is not zero. A hyperparameter
    that is inactive has the feature 0.5, and as a class zeros.

    Args:
        space: List of Keras Tuner's hyperparameters.
    """

    def __init__(self, space):
        self.axes = [_Axis(hp) for hp in space]
        by_name: dict[str, list[int]] = {}
        for index, axis in enumerate(self.axes):
            axis.conditions = [
                [
                    (parent, self.axes[parent].among(condition.values))
                    for parent in by_name.get(condition.name, [])
                ]
                for condition in axis.hp.conditions
            ]
            by_name.setdefault(axis.hp.name, []).append(index)
        # Which coordinate each feature belongs to.
        self.coordinates = np.repeat(
            np.arange(len(self.axes)), [axis.width for axis in self.axes]
        )

    def signature(self):
        """Text that differs where the features differ."""
        return repr([(a.hp.name, a.width, a.count) for a in self.axes])

    def values(self, point):
        """The values of the active hyperparameters at a point, as a dict."""
        bins, active = self._bins(np.asarray(point)[None])
        return {
            axis.hp.name: axis.value(point[i], bins[0, i])
            for i, axis in enumerate(self.axes)
            if active[0, i]
        }

    def active(self, point):
        """Which of the hyperparameters exist at a point, as an array."""
        return self._bins(np.asarray(point)[None])[1][0]

    def point(self, values):
        """A point at which the given values would be; inactive ones at 0.5."""
        return np.array([axis.position(values) for axis in self.axes])

    def features(self, points):
        """Features of points, an array with one row for each."""
        points = np.asarray(points)
        bins, active = self._bins(points)
        parts = [
            axis.features(points[:, i], bins[:, i], active[:, i])
            for i, axis in enumerate(self.axes)
        ]
        return np.concatenate([np.empty((len(points), 0)), *parts], axis=1)

    def _bins(self, points):
        """Which of its values each coordinate is at, and whether it is active.

        Parents stand before their children.
        """
        bins = np.zeros(points.shape, int)
        active = np.ones(points.shape, bool)
        for i, axis in enumerate(self.axes):
            bins[:, i] = axis.bins(points[:, i])
            for parents in axis.conditions:
                met = np.zeros(len(points), bool)
                for parent, among in parents:
                    met |= active[:, parent] & among[bins[:, parent]]
                active[:, i] &= met
        return bins, active


class _Axis:
    """One hyperparameter: its values, positions and features."""

    def __init__(self, hp):
        self.hp = hp
        self.conditions = []
        kind = type(hp).__name__
        self.is_class = kind in _CLASSES and not getattr(hp, "ordered", False)
        self.whole = kind == "Int"
        self.steps: list[Any] | None = None
        if kind in ("Float", "Int"):
            self.count = self._numbers()
        else:
            # In the order of Keras Tuner's probabilities.
            self.steps = sorted(hp.values) if kind == "Boolean" else hp.values
            self.steps = list(self.steps)
            self.count = len(self.steps)
        if self.count == 1:
            self.width = 0
        else:
            self.width = self.count if self.is_class else 1

    def _numbers(self):
        """How many values a number has, or `None` if it is continuous."""
        hp = self.hp
        if hp.step is not None:
            # Keras Tuner's powers are floats.
            kind = int if self.whole else float
            self.steps = [kind(value) for value in hp.values]
            return len(self.steps)
        if hp.min_value == hp.max_value:
            self.steps = [hp.min_value]
            return 1
        return hp.max_value - hp.min_value + 1 if self.whole else None

    def among(self, values):
        """Which of its values are among the given ones, as an array."""
        # Of a continuous number, no single value is ever met.
        own: Any = [None] if self.steps is None else self.steps
        if self.steps is None and self.whole:
            own = range(self.hp.min_value, self.hp.max_value + 1)
        return np.array([value in values for value in own])

    def bins(self, positions):
        if self.count is None:
            return np.zeros(len(positions), int)
        if self.steps is None:
            # Whole numbers, which a logarithmic scale does not space evenly.
            low = self.hp.min_value
            found = np.floor(self._numbers_at(positions)).astype(int) - low
        else:
            found = np.floor(positions * self.count).astype(int)
        return np.clip(found, 0, self.count - 1)

    def value(self, position, index):
        if self.steps is not None:
            return self.steps[index]
        if self.whole:
            return self.hp.min_value + int(index)
        value = float(self._numbers_at(position))
        return min(max(value, self.hp.min_value), self.hp.max_value)

    def position(self, values):
        value = values.get(self.hp.name)
        if self.steps is not None:
            index = self._nearest(value, self.steps)
            return 0.5 if index is None else (index + 0.5) / self.count
        if value is None:
            return 0.5
        found = self._positions_of(value + (0.5 if self.whole else 0.0))
        return float(np.clip(found, 0.0, 1.0))

    def features(self, positions, bins, active):
        if self.width == 0:
            return np.empty((len(positions), 0))
        if self.is_class:
            chosen = bins[:, None] == np.arange(self.count)
            return _CLASS_SCALE * (chosen & active[:, None])
        if self.count is None:
            found = positions
        elif self.steps is not None:
            found = bins / (self.count - 1)
        else:
            found = self._positions_of(self.hp.min_value + bins + 0.5)
        return np.where(active, found, 0.5)[:, None]

    def _nearest(self, value, steps):
        if value in steps:
            return steps.index(value)
        if self.is_class or not isinstance(value, (int, float)):
            return None
        # A float that was not computed in the same way.
        return int(np.argmin(np.abs(np.array(steps) - value)))

    def _numbers_at(self, positions):
        low, high = self._bounds()
        if self.hp.sampling == "linear":
            return low + positions * (high - low)
        if self.hp.sampling == "log":
            return low * (high / low) ** positions
        return high + low - low * (high / low) ** (1 - positions)

    def _positions_of(self, values):
        low, high = self._bounds()
        if self.hp.sampling == "linear":
            return (values - low) / (high - low)
        if self.hp.sampling == "log":
            return np.log(values / low) / np.log(high / low)
        return 1 - np.log((high + low - values) / low) / np.log(high / low)

    def _bounds(self):
        # Every whole number has an interval of its own.
        return self.hp.min_value, self.hp.max_value + self.whole

"""Errors with what chance leaves open, and gaps between them."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

# One-sided at 95 %: a gap that is at its limit is called high in one of 20
# draws of the rows, a smaller one more rarely.
Z = 1.6448536269514722

_DRAWS = 500

# Fractions with a larger denominator cannot be told from float32 numbers.
_MOST_ROWS = 1000


@dataclass(frozen=True)
class Estimate:
    """An error, and the bounds within which the true one lies.

    Attributes:
        value: The error of the rows.
        low: Its lower bound, each side at 95 %.
        high: Its upper bound.
        rows: Of how many rows, or `None` where that is not known.
    """

    value: float
    low: float
    high: float
    rows: int | None = None


@dataclass(frozen=True)
class Gap:
    """A difference of two errors, against the limit from which it is high.

    Attributes:
        name: `"avoidable bias"`, `"variance"`, `"mismatch"` or `"overfitting
            to the dev set"`.
        value: The difference.
        low: Its lower bound, each side at 95 %.
        high: Its upper bound.
        limit: What it must exceed to be high.
        rows: The rows of the smaller part, or `None` if not known.
    """

    name: str
    value: float
    low: float
    high: float
    limit: float
    rows: int | None = None

    @property
    def answer(self):
        """`"high"`, `"not high"` or `"cannot tell"`."""
        # Differences of decimal fractions that should be equal.
        if self.low > self.limit + 1e-9:
            return "high"
        return "not high" if self.high <= self.limit + 1e-9 else "cannot tell"

    @property
    def rows_needed(self):
        """About how many rows would tell, or `None` if not known."""
        distance = abs(self.value - self.limit)
        if self.rows is None or not distance > 0:
            return None
        half = max(self.value - self.low, self.high - self.value)
        needed = self.rows * (half / distance) ** 2
        if not self.rows < needed < 1e7:
            return None
        digits = 1 - math.floor(math.log10(needed))
        return int(round(needed, digits))


def exact(value):
    """An error without sampling error."""
    return Estimate(value, value, value)


def proportion(value, rows):
    """A fraction of wrong answers among so many rows, with exact bounds.

    Clopper and Pearson's: each side is missed in at most 5 % of the draws,
    whatever the fraction and however few the rows.
    """
    from scipy.stats import beta

    wrong = value * rows
    low = beta.ppf(0.05, wrong, rows - wrong + 1) if wrong > 0 else 0.0
    high = beta.ppf(0.95, wrong + 1, rows - wrong) if wrong < rows else 1.0
    return Estimate(value, float(low), float(high), rows)


def from_rows(errors, weights=None, groups=None, root=False):
    """The mean of the errors of rows, with bounds by the bootstrap.

    Args:
        errors: The error of each row.
        weights: The weight of each row, or `None`.
        groups: The group of each row; groups are then drawn whole.
        root: Whether to take the root of the mean.

    Returns:
        An `Estimate`.
    """
    errors = np.asarray(errors, dtype="float64")
    if weights is None:
        weights = np.ones(len(errors))
    totals, counts = errors * weights, weights
    units = len(errors)
    if groups is not None:
        names, number = np.unique(groups, return_inverse=True)
        totals, counts = (
            np.bincount(number, v, len(names)) for v in (totals, counts)
        )
        units = len(names)
    elif not root and np.isin(errors, (0, 1)).all() and np.ptp(weights) == 0:
        return proportion(float(errors.mean()), len(errors))
    value = totals.sum() / counts.sum()
    rng = np.random.default_rng(0)
    # Some draws at a time, so that large parts fit in memory.
    some = int(np.clip(1_000_000 // units, 1, _DRAWS))
    means: list[float] = []
    while len(means) < _DRAWS:
        drawn = rng.integers(0, units, (some, units))
        sums = counts[drawn].sum(axis=1)
        means += (totals[drawn].sum(axis=1) / np.maximum(sums, 1e-12)).tolist()
    low, high = np.quantile(means, (0.05, 0.95))
    # The bootstrap of a few units is too narrow.
    wider = math.sqrt(units / max(units - 1, 1))
    bounds = np.array([value - (value - low) * wider, value,
                       value + (high - value) * wider])  # fmt: skip
    low, value, high = np.sqrt(np.maximum(bounds, 0)) if root else bounds
    found = Estimate(float(value), float(low), float(high), len(errors))
    return replace(found, low=min(found.low, found.value))


def gap(name, larger, smaller, limit, noise=0.0):
    """The difference of two independent errors (Newcombe's bounds).

    Args:
        name: What it is called.
        larger: The `Estimate` that is subtracted from.
        smaller: The `Estimate` to subtract.
        limit: See `Gap`.
        noise: Standard deviation of the difference from epoch to epoch.

    Returns:
        A `Gap`, or `None` if one of the two is.
    """
    if larger is None or smaller is None:
        return None
    value = larger.value - smaller.value
    # That a gap is high takes more evidence than that it is not.
    down = math.hypot(
        larger.value - larger.low, smaller.high - smaller.value, Z * noise
    )
    up = math.hypot(
        larger.high - larger.value, smaller.value - smaller.low, noise
    )
    rows = [e.rows for e in (larger, smaller) if e.rows is not None]
    least = min(rows) if rows else None
    return Gap(name, value, value - down, value + up, limit, least)


def rows_by_steps(values):
    """The least number of rows whose fractions the values can be.

    Accuracies on 50 rows are multiples of 1/50.

    Args:
        values: Fractions by epoch.

    Returns:
        An int; `None` where the values are no such fractions.
    """
    rows = 1
    for value in values[np.isfinite(values)][-50:]:
        near = Fraction(float(value)).limit_denominator(_MOST_ROWS)
        if abs(float(near) - value) > 1e-7:
            return None
        rows = math.lcm(rows, near.denominator)
        if rows > 2 * _MOST_ROWS:
            return None
    return rows if rows >= 10 else None

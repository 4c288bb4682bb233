"""How far a window of a column is from its reference."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from keras_regopt.diagnosis.service.columns import MISSING

# More reference rows than these tell hardly more, and cost memory.
LARGEST = 20_000
# Counts below make the chi-squared distribution a poor approximation.
_LEAST_EXPECTED = 5
# Added to each count, so that an empty bin gives no infinite index.
_HALF = 0.5


class Comparison(NamedTuple):
    """A window of one column against the reference.

    Attributes:
        psi: The population stability index.
        p_value: The probability of such a difference without drift.
        statistic: Kolmogorov and Smirnov's largest difference, or of
            categories the total variation distance.
        missing: The fraction of missing values in the window.
    """

    psi: float
    p_value: float
    statistic: float
    missing: float


class Numbers:
    """The reference of a column of numbers.

    Args:
        values: An array of floats; NaN is missing.
        bins: How many bins of equal frequency the stability index has.
    """

    def __init__(self, values, bins):
        self.values = values
        present = np.sort(values[~np.isnan(values)])
        self._present = present
        self._edges = _edges(present, bins)
        self._counts = self._binned(values)

    def compare(self, window):
        """A `Comparison` of a window's values."""
        present = np.sort(window[~np.isnan(window)])
        statistic, p_value = _kolmogorov_smirnov(self._present, present)
        lost = len(window) - len(present)
        lost_before = len(self.values) - len(self._present)
        if lost or lost_before:
            # Two tests, and the smaller of two probabilities.
            table = [
                [lost, len(present)],
                [lost_before, len(self._present)],
            ]
            p_missing = float(stats.fisher_exact(table)[1])
            p_value = min(1.0, 2 * min(p_value, p_missing))
        psi = _stability_index(self._counts, self._binned(window))
        return Comparison(psi, p_value, statistic, lost / len(window))

    def _binned(self, values):
        present = values[~np.isnan(values)]
        index = np.searchsorted(self._edges, present, side="right")
        counts = np.bincount(index, minlength=len(self._edges) + 1)
        return np.append(counts, len(values) - len(present))


class Categories:
    """The reference of a column of categories.

    Args:
        values: An array of strings.
    """

    def __init__(self, values):
        self.values = values
        self._names, self._counts = np.unique(values, return_counts=True)

    def compare(self, window):
        """A `Comparison` of a window's values; new categories are one more."""
        index = np.searchsorted(self._names, window)
        index = np.minimum(index, len(self._names) - 1)
        known = self._names[index] == window
        counts = np.bincount(index[known], minlength=len(self._names))
        now = np.append(counts, np.sum(~known))
        before = np.append(self._counts, 0)
        shares = now / now.sum() - before / before.sum()
        return Comparison(
            _stability_index(before, now),
            _chi_squared(before, now),
            float(np.abs(shares).sum() / 2),
            float(np.mean(window == MISSING)),
        )


def reference_of(values, bins):
    """The reference of a column, of numbers or of categories."""
    if values.dtype.kind == "U":
        return Categories(values)
    return Numbers(values, bins)


def corrected(p_values):
    """Holm's correction of p-values for how many they are.

    Args:
        p_values: An array.

    Returns:
        An array: compared with a level, they give a false alarm among all
        columns with at most the level's probability.
    """
    p_values = np.asarray(p_values, "float64")
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    grown = np.maximum.accumulate(p_values[order] * factors)
    result = np.empty_like(p_values)
    result[order] = np.minimum(grown, 1)
    return result


def _edges(present, bins):
    """Edges of bins of equal frequency, and of one on each side of them."""
    if not len(present):
        return np.array([])
    inner = np.quantile(present, np.arange(1, bins) / bins, method="nearest")
    beyond = np.nextafter(present[-1], np.inf)
    return np.unique([present[0], *inner, beyond])


def _stability_index(before, now):
    """The sum of (q - p) * log(q / p) over the bins that hold anything."""
    held = (before + now) > 0
    before, now = before[held] + _HALF, now[held] + _HALF
    p, q = before / before.sum(), now / now.sum()
    return float(np.sum((q - p) * np.log(q / p)))


def _kolmogorov_smirnov(before, now):
    """The largest difference of two sorted samples, and its p-value."""
    if not len(before) or not len(now):
        return 0.0, 1.0
    everything = np.concatenate([before, now])
    difference = np.searchsorted(before, everything, side="right") / len(before)
    difference -= np.searchsorted(now, everything, side="right") / len(now)
    statistic = float(np.abs(difference).max())
    effective = len(before) * len(now) / (len(before) + len(now))
    p_value = float(stats.kstwobign.sf(effective**0.5 * statistic))
    return statistic, p_value


def _chi_squared(before, now):
    """The p-value of two rows of counts, the rare categories taken together."""
    share = (before + now) / (before + now).sum()
    rare = share * min(before.sum(), now.sum()) < _LEAST_EXPECTED
    table = np.array(
        [np.append(row[~rare], row[rare].sum()) for row in (before, now)]
    )
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=True)[1])

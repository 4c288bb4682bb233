"""How bad the worst of several groups is, beyond what chance makes it."""

from typing import NamedTuple

import numpy as np

_DRAWS = 400


class GroupTable(NamedTuple):
    """The values of groups, and what chance leaves open of them.

    Attributes:
        values: The value of each group, not a number without an example.
        lows: The lower ends of the intervals.
        highs: The upper ends.
        shrunk: Each value, moved towards the mean of all by as much as the
            groups differ by chance alone.
        p_value: How often groups drawn at random have a worst one as far from
            the mean of all as this.
    """

    values: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    shrunk: np.ndarray
    p_value: float


def compare(values, weights, numbers, groups, highest_is_best):
    """The `GroupTable` of rows.

    The intervals hold for all groups together, at 95 %: each is at one minus
    5 % divided by the number of groups (Bonferroni). Those of fractions are
    Clopper and Pearson's, others by Student's t.

    Args:
        values: The value of each row.
        weights: The weight of each row; those of zero do not count.
        numbers: The group of each row, from 0.
        groups: The number of groups.
        highest_is_best: Whether the highest value is the best one.
    """
    kept = weights > 0
    values, numbers = values[kept], numbers[kept]
    counts = np.bincount(numbers, minlength=groups).astype(float)
    sums = np.bincount(numbers, values, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    some = int((counts > 0).sum())
    if not some:
        nothing = np.full(groups, np.nan)
        return GroupTable(means, nothing, nothing, nothing, 1.0)
    level = 0.05 / some / 2
    fractions = bool(np.isin(values, (0, 1)).all())
    bounds = _exact if fractions else _by_t
    lows, highs = bounds(values, numbers, counts, sums, means, level)
    noise = _variances(values, numbers, counts, means, fractions)
    sign = 1 if highest_is_best else -1
    return GroupTable(
        means,
        lows,
        highs,
        _shrink(means, noise, counts),
        _p_value(sign * values, numbers, counts),
    )


def _exact(values, numbers, counts, sums, means, level):
    from scipy.stats import beta

    with np.errstate(invalid="ignore"):
        lows = beta.ppf(level, sums, counts - sums + 1)
        highs = beta.ppf(1 - level, sums + 1, counts - sums)
    lows = np.where(sums == 0, 0.0, lows)
    highs = np.where(sums == counts, 1.0, highs)
    empty = counts == 0
    return np.where(empty, np.nan, lows), np.where(empty, np.nan, highs)


def _by_t(values, numbers, counts, sums, means, level):
    from scipy.stats import t

    deviations = values - means[numbers]
    squares = np.bincount(numbers, deviations**2, len(counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.sqrt(squares / (counts - 1) / counts)
        half = t.ppf(1 - level, counts - 1) * errors
    # Of a single example, nothing is known of the deviation.
    half = np.where(counts == 1, np.inf, half)
    return means - half, means + half


def _variances(values, numbers, counts, means, fractions):
    """The variance of each mean by chance; pooled, so that none is zero."""
    pooled = values.mean() * (1 - values.mean()) if fractions else None
    if pooled is None:
        deviations = values - means[numbers]
        free = max(len(values) - (counts > 0).sum(), 1)
        pooled = (deviations**2).sum() / free
    with np.errstate(divide="ignore", invalid="ignore"):
        return pooled / counts


def _shrink(means, noise, counts):
    """Empirical Bayes: DerSimonian and Laird's variance between groups."""
    known = counts > 0
    own, weights = means[known], 1 / np.maximum(noise[known], 1e-12)
    center = (weights * own).sum() / weights.sum()
    spread = (weights * (own - center) ** 2).sum() - (known.sum() - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    between = max(spread / scale, 0.0) if scale > 0 else 0.0
    with np.errstate(invalid="ignore"):
        trust = between / (between + noise)
        # Without any noise, a value is what it is.
        trust = np.where(noise < 1e-12, 1.0, trust)
        return np.where(known, center + trust * (means - center), np.nan)


def _p_value(values, numbers, counts):
    """By permutation of the rows among the groups, as large as they are."""
    known = np.flatnonzero(counts > 0)
    if len(known) < 2 or np.ptp(values) == 0:
        return 1.0
    rng = np.random.default_rng(0)
    center, deviation = values.mean(), values.std()
    root = np.sqrt(counts[known]) / deviation

    def worst(order):
        sums = np.bincount(numbers, values[order], len(counts))[known]
        # The lowest, on a scale on which groups of any size are alike.
        return ((sums / counts[known] - center) * root).min()

    found = worst(np.arange(len(values)))
    draws = [worst(rng.permutation(len(values))) for _ in range(_DRAWS)]
    return float((1 + np.sum(np.array(draws) <= found + 1e-12)) / (_DRAWS + 1))

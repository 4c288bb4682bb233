"""Errors as an inverse power law of the number of rows, with a band."""

from typing import NamedTuple

import numpy as np

# From curves that hardly bend to the fastest that are seen.
_EXPONENTS = np.geomspace(0.05, 2.0, 120)


class PowerLaw(NamedTuple):
    """`floor + scale * (rows / largest) ** -exponent`, once for each draw.

    Attributes:
        floor: The error that is left with any number of rows, an array.
        scale: How much of the error at the largest size more rows lower.
        exponent: How fast they do.
        largest: The largest size that was measured.
    """

    floor: np.ndarray
    scale: np.ndarray
    exponent: np.ndarray
    largest: float

    def error(self, rows):
        """The errors with a number of rows, one a draw."""
        times = np.asarray(rows, "float64") / self.largest
        return self.floor + self.scale * times**-self.exponent

    def rows(self, error):
        """The rows that bring the error down to a value; infinite if none."""
        left = error - self.floor
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            times = (left / self.scale) ** (-1 / self.exponent)
        times = np.where(left <= 0, np.inf, times)
        return self.largest * np.where(self.scale > 0, times, np.inf)


def fit(sizes, errors):
    """Least squares, for each row of a matrix of errors.

    The squares are weighted by one over the error: the variance of a fraction
    of wrong answers is as large as the fraction.

    Args:
        sizes: The numbers of rows, an array.
        errors: An array of shape (draws, sizes).

    Returns:
        A `PowerLaw` of so many draws. Floor and scale are at least 0.
    """
    sizes = np.asarray(sizes, "float64")
    errors = np.atleast_2d(errors)
    mean = np.maximum(errors.mean(axis=0), 1e-12)
    weights = 1 / mean
    best = np.full(len(errors), np.inf)
    found = np.zeros((3, len(errors)))
    for exponent in _EXPONENTS:
        powers = (sizes / sizes.max()) ** -exponent
        floor, scale = _line(powers, errors, weights)
        residuals = errors - floor[:, None] - scale[:, None] * powers
        loss = np.sum(weights * residuals**2, axis=1)
        better = loss < best
        best = np.where(better, loss, best)
        now = np.stack([floor, scale, np.full(len(errors), exponent)])
        found = np.where(better, now, found)
    floor, scale, exponents = found
    return PowerLaw(floor, scale, exponents, float(sizes.max()))


def draws(errors, number, seed):
    """Errors as they might have been with other folds, a bootstrap.

    The folds' deviations from their mean are weighted by normal numbers, and
    their size by the uncertainty of so few: means of a multivariate t
    distribution. So a fold that is hard at all sizes stays one fold.

    Args:
        errors: An array of shape (sizes, folds), of two folds or more.
        number: How many draws.
        seed: Seed of the draws.

    Returns:
        An array of shape (number, sizes), none below 0.
    """
    random = np.random.default_rng(seed)
    errors = np.asarray(errors, "float64")
    folds = errors.shape[1]
    mean = errors.mean(axis=1, keepdims=True)
    normal = random.normal(size=(number, folds))
    free = random.chisquare(folds - 1, size=(number, 1)) / (folds - 1)
    means = normal @ (errors - mean).T
    means /= np.sqrt(folds * (folds - 1) * free)
    return np.maximum(mean[:, 0] + means, 0)


def _line(powers, errors, weights):
    """Floor and scale of the best line over the powers, both at least 0."""
    total = weights.sum()
    center = weights @ powers / total
    height = errors @ weights / total
    spread = weights @ (powers - center) ** 2
    slope = errors @ (weights * (powers - center)) / max(spread, 1e-300)
    scale = np.maximum(slope, 0)
    floor = height - scale * center
    through_zero = errors @ (weights * powers) / (weights @ powers**2)
    scale = np.where(floor < 0, np.maximum(through_zero, 0), scale)
    return np.maximum(floor, 0), scale

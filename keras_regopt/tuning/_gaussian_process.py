"""A Gaussian process, on NumPy and SciPy."""

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

_JITTER = 1e-8
# Logarithms of the bounds of length scales, of the variance, of the noise.
_SCALES, _VARIANCE, _NOISE = (-4.0, 4.0), (-3.0, 3.0), (-16.0, 0.0)


class GaussianProcess:
    """Gaussian process with a Matern 5/2 kernel.

    The kernel has a length scale for each coordinate, a variance and a noise,
    which are set by their posterior mode. The length scales have a log-normal
    prior that grows with the root of the number of coordinates.

    Args:
        features: Array with one row for each observation.
        y: The observations, with mean 0 and variance 1.
        coordinates: Which coordinate each feature belongs to.
        start: Logarithms of the parameters to start from, or `None`.
        fit: Whether to fit them, rather than to keep `start`.

    References:
        Hvarfner et al. 2024, Vanilla Bayesian optimization performs great in
        high dimensions (arXiv 2402.02229).
    """

    def __init__(self, features, y, coordinates, start=None, fit=True):
        self._features = features
        self._y = y
        # Coordinates without a feature, such as fixed ones, have no scale.
        _, self._groups = np.unique(coordinates, return_inverse=True)
        self._size = self._groups.max(initial=-1) + 1
        self.parameters = self._fit(start) if fit or start is None else start
        scales, variance, noise = self._split(self.parameters)
        self._scales, self._variance = scales, variance
        self._scaled = features / scales
        kernel = variance * _matern(_distances(self._scaled, self._scaled))
        self._kernel = kernel.copy()
        kernel[np.diag_indices_from(kernel)] += noise + _JITTER
        self._factor = cholesky(kernel, lower=True)
        self._weights = cho_solve((self._factor, True), y)

    def predict(self, features):
        """Mean and standard deviation, without the noise, of each row."""
        distances = _distances(features / self._scales, self._scaled)
        kernel = self._variance * _matern(distances)
        reduced = solve_triangular(self._factor, kernel.T, lower=True)
        variance = self._variance - np.sum(reduced * reduced, axis=0)
        return kernel @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def smoothed(self):
        """Means at the observations themselves, without their noise."""
        return self._kernel @ self._weights

    def _split(self, parameters):
        scales = np.exp(parameters[: self._size])[self._groups]
        return scales, np.exp(parameters[-2]), np.exp(parameters[-1])

    def _fit(self, start):
        middle = self._prior()[0]
        usual = np.array([middle - 1] * self._size + [0.0, -9.0])
        starts = [usual] if start is None else [start, usual]
        bounds = [_SCALES] * self._size + [_VARIANCE, _NOISE]
        found = [
            minimize(
                self._loss,
                point,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 40},
            )
            for point in starts
        ]
        return min(found, key=lambda result: result.fun).x

    def _prior(self):
        """Mean and deviation of the logarithm of a length scale."""
        return 2**0.5 - 1 + 0.5 * np.log(max(self._size, 1)), 1.5

    def _loss(self, parameters):
        """Negative logarithm of the posterior, and its gradient."""
        scales, variance, noise = self._split(parameters)
        scaled = self._features / scales
        root = np.sqrt(5 * _distances(scaled, scaled) + 1e-12)
        decay = np.exp(-root)
        matern = (1 + root + root * root / 3) * decay
        kernel = variance * matern
        kernel[np.diag_indices_from(kernel)] += noise + _JITTER
        try:
            factor = cholesky(kernel, lower=True)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(parameters)
        weights = cho_solve((factor, True), self._y)
        inverse = cho_solve((factor, True), np.eye(len(self._y)))
        outer = np.outer(weights, weights) - inverse
        loss = 0.5 * self._y @ weights + np.log(np.diag(factor)).sum()
        slope = outer * (variance * 5 / 3) * (1 + root) * decay
        # Sums over pairs of the slope times the squared difference.
        pairs = 2 * (
            (scaled**2).T @ slope.sum(axis=1)
            - np.sum(scaled * (slope @ scaled), axis=0)
        )
        gradient = np.zeros_like(parameters)
        np.add.at(gradient, self._groups, -0.5 * pairs)
        gradient[-2] = -0.5 * variance * np.sum(outer * matern)
        gradient[-1] = -0.5 * noise * np.trace(outer)
        mean, deviation = self._prior()
        means = np.array([mean] * self._size + [0.0, -10.0])
        deviations = np.array([deviation] * self._size + [1.0, 2.0])
        prior = (parameters - means) / deviations
        return loss + 0.5 * prior @ prior, gradient + prior / deviations


def _distances(a, b):
    """Squared distances of all rows of one array to all of another."""
    squares = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)
    return np.maximum(squares - 2 * a @ b.T, 0.0)


def _matern(distances):
    root = np.sqrt(5 * distances + 1e-12)
    return (1 + root + root * root / 3) * np.exp(-root)

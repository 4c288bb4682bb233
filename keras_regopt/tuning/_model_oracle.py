"""Base of the oracles with a Gaussian process."""

import math
from typing import Any

import numpy as np

from keras_regopt._validate import positive_int
from keras_regopt.tuning._acquisition import (
    candidates,
    log_expected_improvement,
    normalized,
)
from keras_regopt.tuning._draws import generator, stratified, uniform
from keras_regopt.tuning._gaussian_process import GaussianProcess
from keras_regopt.tuning._oracle import SeededOracle, known

# Points that the model is fitted to: so many of the best, and of all.
_BEST, _MOST = 60, 120
# The last draws that are tried where every proposal is known.
_DRAWS = 100


class ModelOracle(SeededOracle):
    """Oracle that fits a Gaussian process to trials; see `BayesianOracle`.

    Args:
        objective: As for `keras_tuner.Oracle`.
        max_trials: Number of trials, at least 1, or `None` for no limit.
        seed: Seed, at least 0.
        num_initial_points: Number of the first trials, at least 1.
        **kwargs: More of `keras_tuner.Oracle`'s.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        objective: Any,
        max_trials: int | None,
        seed: int,
        num_initial_points: int,
        **kwargs,
    ):
        self.num_initial_points = positive_int(
            self, "num_initial_points", num_initial_points
        )
        super().__init__(objective, max_trials, seed, **kwargs)
        # The parameters of the process, and the trials that they were set by.
        self._fitted: dict[str, Any] = {}

    def settings(self):
        """What the trials depend on, as plain values."""
        own = {"num_initial_points": self.num_initial_points}
        return {**super().settings(), **own}

    def get_state(self):
        """The state, as a dict."""
        return {**super().get_state(), "gaussian_process": self._fitted}

    def set_state(self, state):
        """Takes a saved state."""
        super().set_state(state)
        self._fitted = state["gaussian_process"]

    def propose(self, number, encoding, tried):
        """Values that were not tried yet; see the base."""
        points = self._points(number, encoding)
        for point in points:
            values = encoding.values(point)
            if known(encoding, values) not in tried:
                return values
        return self.unknown(number, encoding, tried)

    def _points(self, number, encoding):
        """Points to try, the most promising one first."""
        if number < self.num_initial_points:
            return [self._initial_point(number, encoding)]
        finished, unknown = [], []
        for (values, loss), share in zip(
            self.losses(), self.shares(), strict=True
        ):
            point = encoding.point(values)
            if loss is not None and math.isfinite(loss):
                finished.append((point, loss))
            else:
                # The quantile of the others that it counts as.
                running = 0.5 if loss is None else 1.0
                unknown.append((point, running if share is None else share))
        if len(finished) < 2:
            return []
        return self._promising_points(number, encoding, finished, unknown)

    def _initial_point(self, number, encoding):
        count = self.num_initial_points
        return [
            stratified(self.seed, number, count, axis.hp.name)
            for axis in encoding.axes
        ]

    def _promising_points(self, number, encoding, finished, unknown):
        points = np.array([point for point, _ in finished])
        y = normalized(np.array([loss for _, loss in finished]))
        features = encoding.features(points)
        best_points = points[np.argsort(y, kind="stable")[:3]]
        used = chosen_rows(features, y)
        features, y = features[used], y[used]
        parameters = self._parameters(encoding, features, y, len(finished))
        if unknown:
            others = encoding.features([point for point, _ in unknown])
            features = np.vstack([features, others])
            lies = np.quantile(y, [share for _, share in unknown])
            y = np.concatenate([y, lies])
        process = GaussianProcess(
            features, y, encoding.coordinates, parameters, fit=False
        )
        best = process.smoothed().min()

        def score(rows):
            mean, deviation = process.predict(rows)
            return log_expected_improvement(mean, deviation, best)

        draws = generator(self.seed, number)
        return candidates(encoding, score, best_points, draws)

    def _parameters(self, encoding, features, y, count):
        """The parameters of the process, set again after a 20th more trials."""
        signature = encoding.signature()
        start = None
        if self._fitted.get("signature") == signature:
            start = np.array(self._fitted["parameters"])
            if count - self._fitted["count"] < max(1, count // 20):
                return start
        process = GaussianProcess(features, y, encoding.coordinates, start)
        self._fitted = {
            "signature": signature,
            "count": count,
            "parameters": process.parameters.tolist(),
        }
        return process.parameters

    def unknown(self, number, encoding, tried):
        """Values at random that were not tried yet, or `None`."""
        for draw in range(_DRAWS):
            values = encoding.values(
                [
                    uniform(self.seed, number, draw, axis.hp.name)
                    for axis in encoding.axes
                ]
            )
            if known(encoding, values) not in tried:
                return values
        return None


def chosen_rows(features, y):
    """The rows to fit to: the best, and others that lie far from each other.

    Args:
        features: Array with one row for each observation.
        y: The observations, the lowest the best.

    Returns:
        A sorted array of indices.
    """
    if len(y) <= _MOST:
        return np.arange(len(y))
    chosen = list(np.argsort(y, kind="stable")[:_BEST])
    distances = np.full(len(y), np.inf)
    for step in range(_MOST):
        if step >= _BEST:
            chosen.append(int(np.argmax(distances)))
        offsets = features - features[chosen[step]]
        distances = np.minimum(distances, np.sum(offsets**2, axis=1))
        distances[chosen[step]] = -1.0
    return np.sort(chosen)

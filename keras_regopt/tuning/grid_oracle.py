"""Grid search that goes through the grid in the order, or in a drawn one."""

import itertools
from typing import Any

import keras_tuner

from keras_regopt._validate import fail, integer
from keras_regopt.tuning._draws import uniform
from keras_regopt.tuning._oracle import SeededOracle, known

# So many points can be listed and put into another order.
_LIMIT = 100_000


class GridOracle(SeededOracle):
    """Tries all combinations of the hyperparameters' values.

    A number without a step has 10 values, evenly spaced on its scale, as in
    Keras Tuner; a hyperparameter that is inactive adds no combinations. A seed
    puts them into a random order, so that a few trials are a fair sample of a
    large grid. Without one the last hyperparameter changes first.

    Args:
        objective: The metric to optimize, such as `"val_loss"`, or a
            `keras_tuner.Objective`, or a list of them.
        max_trials: Number of trials, at least 1, or `None` for the whole
            grid. Defaults to `None`.
        seed: Seed of the order, at least 0, or `None` for no shuffling.
            Defaults to `None`.
        **kwargs: More of `keras_tuner.Oracle`'s, such as `hyperparameters`
            and `max_retries_per_trial`.

    Raises:
        ValueError: If `max_trials` is below 1 or `seed` below 0; in the
            search, if a grid of more than 100,000 points is to be shuffled.

    Examples:
        >>> import keras_tuner
        >>> space = keras_tuner.HyperParameters()
        >>> _ = space.Choice("units", [16, 32])
        >>> _ = space.Boolean("norm")
        >>> oracle = GridOracle("val_loss", hyperparameters=space)
        >>> oracle.populate_space("0")["values"]
        {'units': 16, 'norm': True}
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        seed = integer(self, "seed", seed, low=0, optional=True)
        super().__init__(objective, max_trials, seed or 0, **kwargs)
        self._shuffles = seed is not None

    def settings(self):
        """What the trials depend on, as plain values."""
        return {**super().settings(), "shuffles": self._shuffles}

    def propose(self, number, encoding, tried):
        """The first combination that was not tried yet; see the base."""
        grid = _points(encoding)
        if self._shuffles:
            grid = self._shuffled(grid)
        for values in grid:
            if known(encoding, values) not in tried:
                return values
        return None

    def _shuffled(self, grid):
        grid = list(itertools.islice(grid, _LIMIT + 1))
        if len(grid) > _LIMIT:
            remedy = "RandomOracle draws from larger ones."
            allowed = f"None for a grid of more than {_LIMIT} points"
            fail(self, "seed", allowed, self.seed, remedy)
        # By their values, so that a hyperparameter more does not reorder all.
        return sorted(grid, key=lambda v: uniform(self.seed, *v.items()))


def _points(encoding):
    """All combinations of the values of the active hyperparameters."""
    return _rest([axis.hp for axis in encoding.axes], {})


def _rest(space, values):
    if not space:
        yield dict(values)
        return
    hp, *rest = space
    if not all(condition.is_active(values) for condition in hp.conditions):
        yield from _rest(rest, values)
        return
    for value in _sorted_values(hp):
        yield from _rest(rest, {**values, hp.name: value})


def _sorted_values(hp):
    """The values of a hyperparameter on the grid, in their order."""
    values = list(hp.values)
    if isinstance(hp, keras_tuner.engine.hyperparameters.Int):
        values = [int(value) for value in values]
    # Keras Tuner takes those of a number without a step from a set.
    return values if getattr(hp, "step", 1) is not None else sorted(values)

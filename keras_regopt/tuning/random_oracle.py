"""Random search whose trials depend on seed and number alone."""

from typing import Any

from keras_regopt.tuning._draws import uniform
from keras_regopt.tuning._oracle import SeededOracle, known

# After that many draws of known values, the space is held to be exhausted.
_DRAWS = 100


class RandomOracle(SeededOracle):
    """Draws the hyperparameters of every trial at random.

    Each value is a hash of the seed, the number of the trial and the name of
    the hyperparameter. So seeds are independent of each other, which those of
    Keras Tuner's `RandomSearchOracle` are not: with two hyperparameters, its
    seed 3 tries what its seed 1 tries, one trial later. A hyperparameter that
    is added leaves the values of the others as they are. No values are tried
    twice.

    Args:
        objective: The metric to optimize, such as `"val_loss"`, or a
            `keras_tuner.Objective`, or a list of them.
        max_trials: Number of trials, at least 1. Defaults to `10`.
        seed: Seed, at least 0. Defaults to `0`.
        **kwargs: More of `keras_tuner.Oracle`'s, such as `hyperparameters`
            and `max_retries_per_trial`.

    Raises:
        ValueError: If `max_trials` is below 1, or `seed` below 0.

    Examples:
        >>> import keras_tuner
        >>> space = keras_tuner.HyperParameters()
        >>> _ = space.Float("rate", 1e-4, 1e-1, sampling="log")
        >>> oracle = RandomOracle("val_loss", 5, hyperparameters=space)
        >>> values = oracle.populate_space("0")["values"]
        >>> 1e-4 <= values["rate"] < 1e-1
        True

    References:
        Bergstra and Bengio 2012, Random search for hyper-parameter
        optimization.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(objective, max_trials, seed, **kwargs)

    def propose(self, number, encoding, tried):
        """Values that were not tried yet; see the base."""
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

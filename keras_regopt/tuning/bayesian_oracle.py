"""Bayesian optimization with a Gaussian process."""

from typing import Any

from keras_regopt.tuning._model_oracle import ModelOracle


class BayesianOracle(ModelOracle):
    """Searches where a Gaussian process expects the largest improvement.

    The first trials are spread over the space. Then a Gaussian process (with a
    Matern 5/2 kernel, a length scale for each hyperparameter, and objectives
    that are made normal) predicts the objective everywhere, and the next trial
    has the values whose expected improvement on the best is largest. No values
    are tried twice. An objective that is not finite never enters the model:
    such a trial, as one that failed, counts as the worst of the others, and one
    that still runs as one in their middle. One that was pruned counts as the
    quantile of the others that it was at then, not by its unfinished curve.

    Use it where a trial takes minutes, and there are some ten to three
    hundred of them; what a trial costs here is a fraction of a second.

    Args:
        objective: The metric to optimize, such as `"val_loss"`, or a
            `keras_tuner.Objective`, or a list of them.
        max_trials: Number of trials, at least 1. Defaults to `10`.
        seed: Seed, at least 0. Defaults to `0`.
        num_initial_points: Number of the first trials, at least 1. Defaults
            to `8`.
        **kwargs: More of `keras_tuner.Oracle`'s, such as `hyperparameters`
            and `max_retries_per_trial`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> import keras_tuner
        >>> space = keras_tuner.HyperParameters()
        >>> _ = space.Float("rate", 1e-4, 1e-1, sampling="log")
        >>> oracle = BayesianOracle("val_loss", 30, hyperparameters=space)
        >>> values = oracle.populate_space("0")["values"]
        >>> 1e-4 <= values["rate"] <= 1e-1
        True

    References:
        Snoek et al. 2012, Practical Bayesian optimization of machine learning
        algorithms (arXiv 1206.2944). Ament et al. 2023, Unexpected
        improvements to expected improvement for Bayesian optimization (arXiv
        2310.20708).
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int = 0,
        num_initial_points: int = 8,
        **kwargs,
    ):
        super().__init__(
            objective, max_trials, seed, num_initial_points, **kwargs
        )

"""Optuna's TPE as an oracle."""

import math
from typing import Any

import numpy as np

from keras_regopt._validate import positive_int
from keras_regopt.tuning._draws import uniform
from keras_regopt.tuning._oracle import SeededOracle, known

# After that many proposals of known values, the space is held to be exhausted.
_DRAWS = 100


class OptunaOracle(SeededOracle):
    """Searches by the tree-structured Parzen estimator of Optuna.

    It compares where the good trials lie with where the others do, and so
    copes with many trials and with many hyperparameters that depend on others.
    `BayesianOracle` comes nearer to the optimum in few trials. Optuna is
    installed by `pip install keras_regopt[optuna]`.

    Nothing is kept in a study: each proposal is asked of a new one that is told
    all trials so far. A trial that failed counts as such, a pruned one as such.
    No values are tried twice.

    Args:
        objective: The metric to optimize, such as `"val_loss"`, or a
            `keras_tuner.Objective`, or a list of them.
        max_trials: Number of trials, at least 1. Defaults to `10`.
        seed: Seed, at least 0. Defaults to `0`.
        num_initial_points: Number of the first trials, which are random, at
            least 1. Defaults to `10`.
        **kwargs: More of `keras_tuner.Oracle`'s, such as `hyperparameters`
            and `max_retries_per_trial`.

    Raises:
        ValueError: If an argument is out of its range.
        ImportError: If Optuna is not installed.

    References:
        Bergstra et al. 2011, Algorithms for hyper-parameter optimization.
        Akiba et al. 2019, Optuna: a next-generation hyperparameter
        optimization framework (arXiv 1907.10902).
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int = 0,
        num_initial_points: int = 10,
        **kwargs,
    ):
        self.num_initial_points = positive_int(
            self, "num_initial_points", num_initial_points
        )
        super().__init__(objective, max_trials, seed, **kwargs)
        _optuna()

    def settings(self):
        """What the trials depend on, as plain values."""
        own = {"num_initial_points": self.num_initial_points}
        return {**super().settings(), **own}

    def propose(self, number, encoding, tried):
        """Values that were not tried yet; see the base."""
        optuna = _optuna()
        seed = int(2**32 * uniform(self.seed, number, "optuna"))
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=self.num_initial_points, seed=seed
        )
        study = optuna.create_study(sampler=sampler)
        study.add_trials(self._ended(optuna, encoding))
        for _ in range(_DRAWS):
            asked, point = study.ask(), np.full(len(encoding.axes), 0.5)
            for i, (name, axis) in enumerate(_named(encoding)):
                # Those that it depends on stand before it.
                if axis.count != 1 and encoding.active(point)[i]:
                    point[i] = _asked(asked, name, axis)
            values = encoding.values(point)
            if known(encoding, values) not in tried:
                return values
        return None

    def _ended(self, optuna, encoding):
        """The trials that have ended, as Optuna's."""
        states, ended = optuna.trial.TrialState, []
        for (values, loss), share in zip(
            self.losses(), self.shares(), strict=True
        ):
            point = encoding.point(values)
            active = encoding.active(point)
            chosen = {
                name: _told(optuna, axis, point[i])
                for i, (name, axis) in enumerate(_named(encoding))
                if axis.count != 1 and active[i]
            }
            state = states.FAIL if share is None else states.PRUNED
            if good := loss is not None and math.isfinite(loss):
                state = states.COMPLETE
            told = optuna.trial.create_trial(
                state=state,
                value=loss if good else None,
                params={name: value for name, (value, _) in chosen.items()},
                distributions={
                    name: kind for name, (_, kind) in chosen.items()
                },
            )
            ended += [] if loss is None else [told]
        return ended


def _named(encoding):
    """The axes of an encoding under names that are unique."""
    # Of one name, there may be several under different conditions.
    return [(f"{a.hp.name}/{i}", a) for i, a in enumerate(encoding.axes)]


def _asked(trial, name, axis):
    """A position on an axis, as suggested."""
    if axis.is_class:
        index = trial.suggest_categorical(name, range(axis.count))
    elif axis.steps is not None:
        index = trial.suggest_int(name, 0, axis.count - 1)
    else:
        return trial.suggest_float(name, 0.0, 1.0)
    return (index + 0.5) / axis.count


def _told(optuna, axis, position):
    """What `suggest` would have returned there, and its distribution."""
    kinds = optuna.distributions
    if axis.is_class or axis.steps is not None:
        index = min(int(position * axis.count), axis.count - 1)
        if axis.is_class:
            return index, kinds.CategoricalDistribution(range(axis.count))
        return index, kinds.IntDistribution(0, axis.count - 1)
    return float(position), kinds.FloatDistribution(0.0, 1.0)


def _optuna():
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "OptunaOracle needs Optuna: pip install keras_regopt[optuna]"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna

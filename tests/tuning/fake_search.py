"""A search without training, so that many of them take no time."""

import hashlib

import keras
import keras_tuner
import numpy as np

from keras_regopt.tuning import (
    BayesianOracle,
    CrossValidationTuner,
    GridOracle,
    RandomOracle,
)

X = np.arange(12.0).reshape(12, 1)
Y = np.arange(12.0)


class FakeModel(keras_tuner.HyperModel):
    """Scores are a function of the hyperparameters and the seed alone."""

    def __init__(self):
        super().__init__()
        self.fits = []

    def build(self, hp):
        kind = hp.Choice("kind", ["a", "b"])
        if kind == "b":
            with hp.conditional_scope("kind", ["b"]):
                hp.Int("depth", 1, 3)
        hp.Float("rate", 0.1, 0.9, step=0.2)

    def fit(self, hp, model, *args, **kwargs):
        # An entry that the search learns of only here.
        hp.Choice("late", [1, 2])
        self.fits.append(model)
        text = f"{model}{sorted(hp.values.items())}{kwargs.get('epochs')}"
        digest = hashlib.sha256(text.encode()).digest()
        return {"score": digest[0] / 255, "other": digest[1] / 255}


class FakeTuner(CrossValidationTuner):
    """A "model" is the seed that it would be built under."""

    def build_seeded(self, hyperparameters, seed):
        self.hypermodel.build(hyperparameters)
        return seed


def objective():
    return keras_tuner.Objective("score", "max")


ORACLES = {
    "random": lambda: keras_tuner.oracles.RandomSearchOracle(
        objective(), max_trials=5, seed=3
    ),
    "grid": lambda: keras_tuner.oracles.GridSearchOracle(
        objective(), max_trials=6, seed=3
    ),
    "bayesian": lambda: keras_tuner.oracles.BayesianOptimizationOracle(
        objective(), max_trials=4, num_initial_points=2, seed=3
    ),
    "our random": lambda: RandomOracle(objective(), 4, 0),
    "our grid": lambda: GridOracle(objective(), 4, 0),
    "our bayesian": lambda: BayesianOracle(
        objective(), 6, 0, num_initial_points=3
    ),
    "hyperband": lambda: keras_tuner.oracles.HyperbandOracle(
        objective(), max_epochs=3, factor=3, seed=3
    ),
}


def fake_tuner(directory, oracle, model=None, **options):
    options = {"folds": 3, "seed": 5, "project_name": "search", **options}
    return FakeTuner(
        model or FakeModel(), oracle, directory=directory, **options
    )


def random_oracle(objective="val_loss", max_trials=1, **options):
    return keras_tuner.oracles.RandomSearchOracle(
        objective, max_trials, seed=1, **options
    )


class Returns(keras_tuner.HyperModel):
    """Returns the next of a list of results, and notes what it was given."""

    def __init__(self, *results):
        super().__init__()
        self.results = list(results)
        self.calls = []

    def build(self, hp):
        hp.Float("rate", 0.0, 1.0)

    def fit(self, hp, model, *args, **kwargs):
        self.calls.append((args, kwargs))
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def history(**metrics):
    result = keras.callbacks.History()
    result.history = metrics
    result.epoch = list(range(len(next(iter(metrics.values())))))
    return result


def searched(directory, model, oracle=None, x=X, y=Y, folds=2, **options):
    tuner = FakeTuner(
        model, oracle or random_oracle(), folds=folds, directory=directory
    )
    tuner.search(x, y, **{"verbose": 0, **options})
    return tuner

"""The searches that `kill_searches.py` kills, and what they found."""

import gc
import json
import os

import keras
import keras_tuner
import numpy as np
from sklearn.model_selection import ShuffleSplit

from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.tuning import (
    AshaOracle,
    BayesianOracle,
    CrossValidationTuner,
    GridOracle,
    PruningCallback,
    RandomOracle,
    nested_cross_validation,
)

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X[:, :1] - 0.3 * X[:, 1:2]
EPOCHS = 4

ORACLES = {
    "random": lambda: RandomOracle(_objective(), 4),
    "grid": lambda: GridOracle(_objective(), 4, seed=1),
    "bayesian": lambda: BayesianOracle(_objective(), 6, num_initial_points=3),
    "asha": lambda: AshaOracle(
        _objective(), 7, EPOCHS, 1, 2, num_initial_points=3
    ),
    "nested": lambda: RandomOracle(_objective(), 2),
}


def _objective():
    return keras_tuner.Objective("val_loss", "min")


def _build(hp):
    rate = keras.optimizers.schedules.CosineDecay(
        hp.Float("rate", 1e-3, 0.3, sampling="log"), EPOCHS * 3
    )
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(hp.Choice("units", [2, 3]), "tanh"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def search(folder, kind):
    """Runs a search, or goes on with it, and writes down what it found.

    Args:
        folder: Where everything is written.
        kind: One of `ORACLES`.
    """
    # Keras Tuner's takes longer than these trainings.
    gc.collect = lambda *args: 0
    callbacks = [ReduceLROnPlateau("val_loss", factor=0.5, patience=1)]
    if kind in ("random", "bayesian"):
        callbacks.append(PruningCallback(min_trials=2))
    one_split = ShuffleSplit(1, random_state=1)
    # Half of them save folds in mid-fit, the others train them anew.
    save_freq = 2 if kind in ("random", "grid", "asha") else None
    options = {"callbacks": callbacks, "batch_size": 8, "verbose": 0}
    if kind != "asha":
        options["epochs"] = EPOCHS
    if kind == "nested":
        found = nested_cross_validation(
            _build,
            ORACLES[kind],
            X,
            Y,
            outer=2,
            folds=one_split,
            directory=folder,
            **options,
        )
    else:
        tuner = CrossValidationTuner(
            _build,
            ORACLES[kind](),
            folds=one_split if kind in ("asha", "bayesian") else 2,
            directory=folder,
            project_name="search",
            save_freq=save_freq,
        )
        tuner.search(X, Y, **options)
        trials = tuner.oracle.trials
        found = {
            "results": list(tuner.cross_validation_results()),
            "trials": [
                [name, trials[name].status, trials[name].hyperparameters.values]
                for name in tuner.oracle.start_order
            ],
            "ended": tuner.oracle.end_order,
        }
    path = os.path.join(folder, "found.json")
    with open(f"{path}.tmp", "w") as file:
        json.dump(found, file)
    os.replace(f"{path}.tmp", path)

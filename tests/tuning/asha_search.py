"""Small searches with real training, which can be killed at any write."""

import gc

import keras
import keras_tuner
import numpy as np
from sklearn.model_selection import ShuffleSplit

from keras_regopt.callbacks import ReduceLROnPlateau
from keras_regopt.tuning import AshaOracle, CrossValidationTuner

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X[:, :1] - 0.3 * X[:, 1:2]
EPOCHS = 4


def build(hp):
    rate = keras.optimizers.schedules.CosineDecay(
        hp.Float("rate", 1e-3, 0.3, sampling="log"), EPOCHS * 3
    )
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(3, "tanh"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def callbacks():
    return [ReduceLROnPlateau("val_loss", factor=0.5, patience=1)]


def oracle(max_trials=7, **options):
    options = {
        "max_epochs": EPOCHS,
        "min_epochs": 1,
        "eta": 2,
        "num_initial_points": 4,
        **options,
    }
    objective = keras_tuner.Objective("val_loss", "min")
    return AshaOracle(objective, max_trials, **options)


def tuner_of(folder, oracle, hypermodel=build, **options):
    options = {"folds": ShuffleSplit(1, random_state=1), **options}
    return CrossValidationTuner(
        hypermodel, oracle, directory=folder, project_name="search", **options
    )


def search(folder, made=None, used=callbacks, **options):
    """A tuner whose search has ended."""
    tuner = tuner_of(folder, made or oracle(), **options)
    collect, gc.collect = gc.collect, lambda *args: 0
    epochs = {} if isinstance(tuner.oracle, AshaOracle) else {"epochs": EPOCHS}
    try:
        tuner.search(X, Y, batch_size=8, callbacks=used(), verbose=0, **epochs)
    finally:
        # It takes longer than these trainings.
        gc.collect = collect
    return tuner

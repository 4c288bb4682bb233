"""A search over classes and their arguments, and how good its choice is."""

import tempfile

import keras
from sklearn.datasets import load_digits

from keras_regopt import augmentation, tuning


def build(hp):
    chosen = tuning.choose_augmentation(
        hp, [augmentation.RandomAffine, augmentation.RandomErasing]
    )
    penalty = tuning.choose_regularizer(hp)
    layers = [
        keras.Input((8, 8, 1)),
        *([chosen] if chosen else []),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(64, "relu", kernel_regularizer=penalty),
        keras.layers.Dense(10, "softmax"),
    ]
    model = keras.Sequential(layers)
    loss = "sparse_categorical_crossentropy"
    model.compile(tuning.choose_optimizer(hp), loss, metrics=["accuracy"])
    return model


def main(epochs=30, trials=20, folds=3, directory=None):
    def oracle():
        return tuning.BayesianOracle("val_accuracy", max_trials=trials)

    digits = load_digits()
    x, y = digits.images[..., None] * 255 / 16, digits.target
    # In a directory of your own, it goes on after a kill.
    options = {"directory": directory or tempfile.mkdtemp(), "verbose": 0}
    options.update(epochs=epochs, outer=folds, folds=folds)
    return tuning.nested_cross_validation(build, oracle, x, y, **options)

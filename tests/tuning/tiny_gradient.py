"""A small model with all kinds of hyperparameters, exact in float64."""

import keras
import numpy as np
from keras import ops

from keras_regopt.augmentation import RandomGaussianNoise
from keras_regopt.layers import Dropout, GaussianNoise
from keras_regopt.optimizers import Adam
from keras_regopt.regularizers import L1, L2, SmoothedCrossentropy
from keras_regopt.tuning import HyperParameter


class Linear(keras.layers.Layer):
    """`Dense`, of which Keras rounds the product on torch."""

    def __init__(self, units, activation, kernel_regularizer=None):
        super().__init__()
        self.units = units
        self.activation = activation
        self.kernel_regularizer = kernel_regularizer

    def build(self, shape):
        self.kernel = self.add_weight(
            shape=(shape[-1], self.units),
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.units,), name="bias")

    def call(self, x):
        product = ops.sum(x[:, :, None] * self.kernel, axis=1)
        return self.activation(product + self.bias)


def every_kind():
    """Seven hyperparameters of six kinds."""
    model = keras.Sequential(
        [
            keras.Input((3, 3, 1)),
            RandomGaussianNoise(
                HyperParameter(0.05, 1e-3, 0.5, name="augmentation"),
                value_range=(-5, 5),
                seed=1,
            ),
            keras.layers.Flatten(),
            GaussianNoise(HyperParameter(0.1, 1e-3, 1.0, name="noise"), seed=2),
            Linear(
                4, ops.softplus, L2(HyperParameter(0.01, 1e-6, 1.0, name="l2"))
            ),
            Dropout(
                HyperParameter(0.2, 0.01, 0.8, "logit", name="dropout"), seed=3
            ),
            Linear(
                3, ops.softmax, L1(HyperParameter(0.01, 1e-6, 1.0, name="l1"))
            ),
        ]
    )
    model.compile(
        Adam(HyperParameter(0.03, 1e-4, 1.0, name="rate")),
        SmoothedCrossentropy(
            HyperParameter(0.1, 0.01, 0.4, "logit", name="smoothing"),
            # Keras rounds a mean.
            reduction="sum",
        ),
    )
    return model


def rate_and_strength():
    """Two hyperparameters, and one feature that is always zero."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            Linear(
                3, ops.softmax, L2(HyperParameter(0.02, 1e-6, 1.0, name="l2"))
            ),
        ]
    )
    model.compile(
        Adam(HyperParameter(0.03, 1e-4, 1.0, name="rate")),
        SmoothedCrossentropy(0.1, reduction="sum"),
    )
    return model


def images(count, seed):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 3, 3, 1)), np.arange(count) % 3


def rows(count, seed):
    x = np.random.default_rng(seed).normal(size=(count, 4))
    x[:, 0] = 0
    return x, np.arange(count) % 3

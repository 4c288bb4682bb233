"""A fit whose every step is known beforehand."""

import keras
import numpy as np
from keras.optimizers import SGD
from keras_versions import multi_optimizer

from keras_regopt.callbacks import ReduceLROnPlateau

# A linear model, whose gradient is known: two batches an epoch.
X = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0], [1.0, 1.0]], "float32")
Y = X @ np.array([[2.0], [-1.0]], "float32") + 0.5
BATCHES = [slice(0, 2), slice(2, 4)]


def linear_model(optimizer, **options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", **options)
    return model


def fit(model, *callbacks, epochs, first_epoch=0):
    return model.fit(
        X,
        Y,
        batch_size=2,
        shuffle=False,
        epochs=epochs,
        initial_epoch=first_epoch,
        verbose=0,
        callbacks=list(callbacks),
    ).history


def cut_each_epoch():
    """No epoch but the first is good enough: a cut after every other one."""
    return ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100)


class Weights(keras.callbacks.Callback):
    """Keeps kernel and bias after every epoch."""

    def on_train_begin(self, logs=None):
        self.seen = [self.model.get_weights()]

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.model.get_weights())


def descend(kernel, bias, kernel_rate, bias_rate, gradient_to_step):
    """One step in NumPy for each batch; the rates are functions of it."""
    for batch_index, batch in enumerate(BATCHES):
        errors = X[batch] @ kernel + bias - Y[batch]
        gradient = 2 / len(errors) * X[batch].T @ errors
        kernel = kernel - kernel_rate(batch_index) * gradient_to_step(gradient)
        bias = bias - bias_rate(batch_index) * gradient_to_step(
            2 * errors.mean(axis=0)
        )
    return kernel, bias


def decay(step):
    return 0.02 * 0.8 ** (step / 2)


def keras_decay():
    return keras.optimizers.schedules.ExponentialDecay(0.02, 2, 0.8)


def by_kernel_and_bias():
    return multi_optimizer(
        SGD(0.02, name="rest"),
        {".*kernel": SGD(keras_decay(), name="kernels")},
    )

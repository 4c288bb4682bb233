"""Fits whose weights are seen after every step."""

import functools

import keras
import numpy as np
from keras.optimizers import SGD
from linear_fit import X, Y, linear_model


def quick():
    """Options of `compile` for models whose tracing takes longest."""
    return {"run_eagerly": keras.backend.backend() != "torch"}


def small_model(optimizer=None, **options):
    """The linear model, with the same weights at the start each time."""
    model = linear_model(optimizer or SGD(0.05), **{**quick(), **options})
    model.set_weights([np.array([[1.0], [-2.0]]), np.array([0.5])])
    return model


class Steps(keras.callbacks.Callback):
    """Keeps all weights before the first step and after each one."""

    def on_train_begin(self, logs=None):
        self.seen = [self.model.get_weights()]

    def on_train_batch_end(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        self.seen.append(self.model.get_weights())


class AtEpochEnds(keras.callbacks.Callback):
    """Keeps all weights that callbacks at this place see."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.model.get_weights())


def fit(model, *callbacks, epochs=4, first_epoch=0, validate=False):
    """Two steps an epoch."""
    return model.fit(
        X,
        Y,
        batch_size=2,
        shuffle=False,
        epochs=epochs,
        initial_epoch=first_epoch,
        validation_data=(X, Y) if validate else None,
        verbose=0,
        callbacks=list(callbacks),
    ).history


def trajectory(epochs=4, optimizer=None, **options):
    """The weights before the first and after each step, without averaging."""
    if optimizer is None:
        return _plain_trajectory(**options)[: 2 * epochs + 1]
    steps = Steps()
    fit(small_model(optimizer), steps, epochs=epochs)
    return steps.seen


@functools.cache
def _plain_trajectory(**options):
    steps = Steps()
    fit(small_model(**options), steps, epochs=11)
    return steps.seen


def assert_close(weights, expected):
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7)


def assert_same(weights, expected):
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def assert_all_same(seen, expected):
    for weights, others in zip(seen, expected, strict=True):
        assert_same(weights, others)


def mean(samples):
    return [np.mean(each, axis=0) for each in zip(*samples, strict=True)]

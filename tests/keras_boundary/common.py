"""What the checks of the boundary to Keras have in common."""

import keras
import numpy as np
import pytest
from keras import ops

BACKEND = keras.backend.backend()
# Every check under the name of its accessor.
CHECKS = {}


def check(function):
    """Enters the check of the accessor that the function is named after."""
    CHECKS[function.__name__] = function
    return function


def on(*backends):
    if BACKEND not in backends:
        pytest.skip(f"of {', '.join(backends)} alone")


def net():
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, name="wide", activity_regularizer="l2"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, seed=1, name="drop"),
            keras.layers.Dense(1, name="out"),
        ]
    )


def compiled(**options):
    model = net()
    model.compile(keras.optimizers.SGD(0.1), "mse", **options)
    return model


def data(examples=8):
    x = np.ones((examples, 3), "float32")
    return x, x[:, :1]


def within_fit(look, hook="on_train_batch_end", x=None, **options):
    """What `look(model)` finds at each call of a hook within a `fit`."""
    found = []
    callback = keras.callbacks.Callback()
    setattr(callback, hook, lambda *_, **__: found.append(look(model)))
    model = compiled()
    x, y = data() if x is None else (x, None)
    options = {"epochs": 1, "verbose": 0, **options}
    if y is None:
        # Of which Keras would warn.
        options["shuffle"] = False
    else:
        options["batch_size"] = 4
    model.fit(x, y, callbacks=[callback], **options)
    assert found
    return found


def stepped(**options):
    """An optimizer of Keras' that has made a step, and its variable."""
    variable = keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.SGD(0.5, **options)
    optimizer.apply([ops.ones(2)], [variable])
    return optimizer, variable


def dtype_of(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


class Telling(keras.layers.Layer):
    """Notes what a function returns within its `call`."""

    def __init__(self, ask):
        super().__init__()
        self.ask = ask

    def call(self, inputs, training=None):
        # Past Keras' bookkeeping: it may be a layer.
        vars(self)["told"] = self.ask()
        return inputs

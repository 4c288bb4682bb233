"""The promises of every callback."""

import copy
import json

import keras
import numpy as np

from keras_regopt.regularizers import L2
from keras_regopt.testing import common
from keras_regopt.testing._contract import require
from keras_regopt.testing._samples import data, dense_model


def serves_several_fits(subject):
    """One object serves two fits, on two models, and keeps its config."""
    callback = subject.make()
    config = callback.get_config()
    for _ in range(2):
        _fit(callback)
    require(
        callback.get_config() == config,
        f"training changes the configuration to {callback.get_config()}",
    )


def hands_its_state_on(subject):
    """A new object with the state of a trained one has that state."""
    callback = subject.make()
    _fit(callback)
    state = callback.state()
    _require_plain(state, "state")
    other = subject.make()
    other.restore(state)
    require(
        _equal(other.state(), state),
        f"restored, the state is {other.state()} instead of {state}",
    )


def keeps_its_state_apart(subject):
    """A state does not change with its callback."""
    callback = subject.make()
    _fit(callback)
    state = callback.state()
    before = copy.deepcopy(state)
    _fit(callback, seed=1)
    require(_equal(state, before), "a later fit changed a saved state")


def survives_a_restart_of_training(subject):
    """A restored state is not reset when `fit` begins."""
    callback = subject.make()
    _fit(callback)
    state = callback.state()
    other = subject.make()
    other.restore(state)
    other.set_model(_model())
    other.on_train_begin()
    require(
        _equal(other.state(), state),
        f"when training begins, {state} becomes {other.state()}",
    )


def copies_deeply(subject):
    """A tuner's deep copy works, before and after training."""
    callback = copy.deepcopy(subject.make())
    _fit(callback)
    callback.set_model(None)
    copied = copy.deepcopy(callback)
    require(
        _equal(copied.state(), callback.state()), "a copy has another state"
    )


def _fit(callback, seed=0):
    model = _model()
    x, y = data()
    model.fit(
        x,
        y + seed,
        batch_size=4,
        epochs=3,
        validation_data=(x, y),
        validation_batch_size=8,
        callbacks=[callback],
        shuffle=False,
        verbose=0,
    )


def _model():
    # With a momentum and a penalty, for callbacks that change these. Keras'
    # own penalty holds a tensor, where it is 3.14.
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    regularizer = L2(1e-3)
    return dense_model(optimizer, mode="eager", kernel_regularizer=regularizer)


def _require_plain(value, path):
    """JSON values and NumPy arrays pass, tensors do not."""
    if isinstance(value, dict):
        for key, entry in value.items():
            _require_plain(entry, f"{path}[{key!r}]")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            _require_plain(entry, f"{path}[{index}]")
    elif not isinstance(value, np.ndarray):
        try:
            json.dumps(value)
        except TypeError:
            require(False, f"{path} is no plain value: {value!r}")


def _equal(a, b):
    if isinstance(a, dict):
        return set(a) == set(b) and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return np.array_equal(a, b) or (a != a and b != b)


PROMISES = [
    *common.PROMISES,
    serves_several_fits,
    hands_its_state_on,
    keeps_its_state_apart,
    survives_a_restart_of_training,
    copies_deeply,
]

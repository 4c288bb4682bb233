"""A layer that `fit` tells nothing of training rests, and says so."""

import warnings

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import Choice, RandomInvert

BACKEND = keras.backend.backend()

X = np.random.default_rng(0).random((8, 2, 2, 1), "float32")
Y = np.ones((8, 1), "float32")


def inverting():
    return RandomInvert(rate=1.0, value_range=(0, 1))


class Part(keras.layers.Layer):
    """A layer that knows nothing of training."""

    def __init__(self):
        super().__init__()
        self.invert = inverting()

    def call(self, x):
        return self.invert(x)


class Untold(keras.Model):
    """A model that knows nothing of training."""

    def __init__(self, first=None):
        super().__init__()
        self.first = first or inverting()
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(self.flatten(self.first(x)))


class Told(Untold):
    """A model that hands training on."""

    def call(self, x, training=None):
        x = self.first(x, training=training)
        return self.dense(self.flatten(x))


class Forgetful(Untold):
    """A model that takes training and does not hand it on."""

    def call(self, x, training=None):
        return self.dense(self.flatten(self.first(x)))


class Deliberate(Untold):
    """A model that wants no augmentation."""

    def call(self, x):
        x = self.first(x, training=False)
        return self.dense(self.flatten(x))


def told(function):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        function()
    return [
        str(w.message) for w in warned if "does not augment" in str(w.message)
    ]


def fit(model, **arguments):
    model.compile("sgd", "mse", **arguments)
    return told(lambda: model.fit(X, Y, epochs=2, verbose=0))


MODES = [{"run_eagerly": True}]
if BACKEND != "torch":
    MODES += [{"jit_compile": False}, {"jit_compile": True}]


@pytest.mark.parametrize("mode", MODES)
def test_a_model_without_training_is_told_once_which_layer_rests(mode):
    model = Untold()
    (message,) = fit(model, **mode)
    assert f"RandomInvert '{model.first.name}' does not augment" in message
    assert "`call` of Untold" in message
    assert "def call(self, inputs, training=None)" in message
    assert not fit(model, **mode)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "make",
    [
        Part,
        lambda: Choice([inverting()]),
        lambda: keras.Sequential([inverting()]),
    ],
)
def test_what_lies_between_makes_no_difference(make):
    (message,) = fit(Untold(make()))
    assert "`call` of Untold" in message


def test_training_that_is_not_handed_on_arrives_all_the_same_or_is_told():
    model = Forgetful()
    model.dense.trainable = False
    messages = fit(model)
    rest = Y - keras.ops.convert_to_numpy(model(X))
    acting = Y - keras.ops.convert_to_numpy(model(1 - X))
    loss = model.history.history["loss"][0]
    if BACKEND == "jax":
        # Elsewhere Keras hands it on by itself.
        assert "hand `training` on: `layer(inputs" in messages[0]
        np.testing.assert_allclose(loss, np.mean(rest**2), rtol=1e-3)
    else:
        assert not messages
        np.testing.assert_allclose(loss, np.mean(acting**2), rtol=1e-3)


@pytest.mark.any_backend
def test_a_model_that_hands_training_on_is_told_nothing():
    for model in (Told(), Deliberate()):
        assert not fit(model)
    inputs = keras.Input((2, 2, 1))
    outputs = keras.layers.Dense(1)(keras.layers.Flatten()(inverting()(inputs)))
    assert not fit(keras.Model(inputs, outputs))


def test_only_a_training_is_told():
    model = Untold()
    model.compile("sgd", "mse")
    assert not told(lambda: model.predict(X, verbose=0))
    assert not told(lambda: model.evaluate(X, Y, verbose=0))
    assert not told(lambda: model(X))
    assert len(told(lambda: model.train_on_batch(X, Y))) == 1

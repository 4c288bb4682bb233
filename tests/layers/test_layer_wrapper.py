"""What the layers have in common that hold another layer."""

import copy

import keras
import numpy as np
import pytest

from keras_regopt.layers import L0, ConcreteDropout, DropConnect, MonteCarlo

WRAPPERS = {
    "ConcreteDropout": ConcreteDropout,
    "DropConnect": DropConnect,
    "L0": L0,
    "MonteCarlo": lambda layer: MonteCarlo(layer, return_std=False),
}


def as_array(x):
    return keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))


@pytest.mark.any_backend
@pytest.mark.parametrize("name", WRAPPERS)
def test_a_deep_copy_computes_the_same_and_shares_nothing(name):
    layer = WRAPPERS[name](keras.layers.Dense(3))
    x = np.ones((2, 4), "float32")
    expected = as_array(layer(x))
    again = copy.deepcopy(layer)
    np.testing.assert_array_equal(as_array(again(x)), expected)
    for variable in layer.weights:
        variable.assign(np.zeros(variable.shape))
    np.testing.assert_array_equal(as_array(again(x)), expected)


@pytest.mark.any_backend
@pytest.mark.parametrize("name", WRAPPERS)
def test_has_the_precision_of_its_layer(name):
    layer = WRAPPERS[name](keras.layers.Dense(3, dtype="mixed_bfloat16"))
    for training in (False, True):
        y = layer(np.ones((2, 4), "float32"), training=training)
        assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert layer(keras.Input((4,))).dtype == "bfloat16"


@pytest.mark.any_backend
def test_wrappers_hold_wrappers_and_stand_in_others():
    layer = DropConnect(L0(keras.layers.Dense(3)), 0.5, seed=0)
    model = keras.Sequential(
        [keras.Input((5, 4)), keras.layers.TimeDistributed(layer)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(np.ones((2, 5, 4)), np.ones((2, 5, 3)), verbose=0)
    x = np.ones((2, 5, 4), "float32")
    dense = layer.layer.layer
    expected = as_array(dense(x)) * layer.layer.gates
    np.testing.assert_allclose(as_array(model(x)), expected, rtol=1e-5)


def test_holds_a_model_with_several_inputs_and_layers():
    inputs = [keras.Input((3,)), keras.Input((2,))]
    outputs = [keras.layers.Dense(4)(x) for x in inputs]
    inner = keras.Model(inputs, keras.layers.Add()(outputs))
    layer = DropConnect(inner, 0.5, seed=0)
    x = [np.ones((2, 3), "float32"), np.ones((2, 2), "float32")]
    np.testing.assert_array_equal(as_array(layer(x)), as_array(inner(x)))
    assert not np.allclose(
        as_array(layer(x, training=True)), as_array(inner(x))
    )
    inputs = [keras.Input((3,)), keras.Input((2,))]
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(as_array(model(x)), as_array(inner(x)))


def test_the_layer_keeps_its_regularizer():
    dense = keras.layers.Dense(
        2,
        kernel_initializer="ones",
        kernel_regularizer=keras.regularizers.L1(1),
    )
    layer = DropConnect(dense, 0.5, seed=0)
    layer(np.ones((1, 3), "float32"), training=True)
    # Of the whole kernel, not of what is left of it.
    assert float(as_array(layer.losses[0])) == pytest.approx(6)

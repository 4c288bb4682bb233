"""Checks of `_keras.models`."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_boundary.common import (
    BACKEND,
    check,
    compiled,
    data,
    net,
    on,
    within_fit,
)

from keras_regopt import _keras


@check
def graph_of():
    inputs = keras.Input((3,))
    functional = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    assert _keras.graph_of(functional) is functional
    assert isinstance(_keras.graph_of(net()), _keras.Functional)
    assert _keras.graph_of(keras.Sequential([keras.layers.Dense(1)])) is None

    class Subclassed(keras.Model):
        pass

    assert _keras.graph_of(Subclassed()) is None


@check
def graph_nodes():
    nodes = _keras.graph_nodes(_keras.graph_of(net()))
    names = [node.operation.name for node in nodes]
    assert names[1:] == ["wide", "norm", "drop", "out"]
    assert [node.is_input for node in nodes] == [True] + 4 * [False]
    assert all(len(node.arguments.keras_tensors) == 1 for node in nodes[1:])
    assert all(len(node.outputs) == 1 for node in nodes)


@check
def input_structure():
    inputs = {"a": keras.Input((3,), name="a")}
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs["a"]))
    assert set(_keras.input_structure(model)) == {"a"}
    assert tuple(_keras.input_structure(net()).shape) == (None, 3)


@check
def compiled_loss():
    model = compiled()
    x, y = data()
    model.evaluate(x, y, verbose=0)
    expected = float(np.mean((y - model.predict(x, verbose=0)) ** 2))
    loss = _keras.compiled_loss(model)(ops.convert_to_tensor(y), model(x), None)
    loss = float(ops.convert_to_numpy(loss))
    assert loss == pytest.approx(expected, rel=1e-5)


@check
def direction_of():
    assert _keras.direction_of(keras.metrics.MeanSquaredError()) == "down"
    assert _keras.direction_of(keras.metrics.BinaryAccuracy()) == "up"
    assert _keras.direction_of(keras.metrics.Mean()) is None


@check
def strategy_of_model():
    assert _keras.strategy_of_model(net()) is None
    on("tensorflow")
    import tensorflow as tf

    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with strategy.scope():
        assert _keras.strategy_of_model(net()) is strategy


@check
def build_symbolically():
    model = compiled(metrics=["mae"])
    x, y = (keras.KerasTensor((4, n)) for n in (3, 1))
    _keras.build_symbolically(model, (x, y))
    assert model.optimizer.built
    assert any("total" in v.path for v in model.metrics_variables)


@check
def draw_before_fit():
    model = compiled()
    model.fit(*data(), verbose=0)
    drawn = []
    _keras.draw_before_fit(model)
    for _ in range(2):
        batches = (drawn.append(x) for x in range(3))
        model._symbolic_build(iterator=[(0, 0, batches)])
    assert drawn == [0]


@check
def in_sync():
    assert all(within_fit(_keras.in_sync)) == (BACKEND != "jax")
    assert all(within_fit(_keras.in_sync, "on_train_end"))


@check
def jax_state():
    (state, *_) = within_fit(_keras.jax_state)
    if BACKEND != "jax":
        assert state is None
        return
    assert {"trainable_variables", "non_trainable_variables"} <= set(state)
    assert len(state["trainable_variables"]) == len(net().trainable_variables)


@check
def finish_quantization():
    model = net()
    if BACKEND == "torch":
        layer = model.get_layer("out")
        layer.torch_params.clear()
        _keras.finish_quantization(model)
        # All variables are parameters of the module again.
        assert len(layer.torch_params) == 2
    else:
        _keras.finish_quantization(model)

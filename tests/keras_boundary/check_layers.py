"""Checks of `_keras.layers`."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_boundary.common import (
    BACKEND,
    check,
    data,
    net,
    on,
)

from keras_regopt import _keras


@check
def all_layers():
    model = keras.Sequential([keras.Input((3,)), net()], name="outer")
    names = [layer.name for layer in _keras.all_layers(model)]
    assert names[0] == "outer"
    assert {"wide", "norm", "drop", "out"} < set(names)
    assert len(set(names)) == len(names)
    within = _keras.all_layers(model, include_self=False)
    assert [layer.name for layer in within] == names[1:]


@check
def direct_layers():
    layer = keras.layers.TimeDistributed(keras.layers.Dense(1, name="within"))
    assert [part.name for part in _keras.direct_layers(layer)] == ["within"]
    # Keras goes by the very list.
    _keras.direct_layers(layer)[:] = []
    assert _keras.all_layers(layer) == [layer]


@check
def seed_states():
    class Drawing(keras.layers.Layer):
        def __init__(self, generator):
            super().__init__()
            self.generator = generator

    generators = [keras.random.SeedGenerator(seed) for seed in (1, 2)]
    layers = [Drawing(generators[i]) for i in (0, 1, 0)]
    states = _keras.seed_states(keras.Sequential(layers))
    assert [id(s) for s in states] == [id(g.state) for g in generators]


@check
def held_generators():
    layer = keras.layers.Dropout(0.5, seed=1)
    (generator,) = _keras.held_generators(layer)
    assert generator is layer.seed_generator
    # Keras goes by the very list.
    _keras.held_generators(layer)[:] = []
    assert _keras.seed_states(layer) == []


@check
def symbolic_input():
    layer = net().get_layer("out")
    assert tuple(_keras.symbolic_input(layer).shape) == (None, 4)
    assert _keras.symbolic_input(keras.layers.Dense(1)) is None


@check
def own_state():
    layer = net().get_layer("norm")
    names = [v.name for v in _keras.own_state(layer)]
    assert names == ["moving_mean", "moving_variance"]
    layer.trainable = False
    assert len(_keras.own_state(layer)) == 2


@check
def takes_training():
    assert _keras.takes_training(keras.layers.Dropout(0.5))
    assert not _keras.takes_training(keras.layers.Flatten())


@check
def takes_mask():
    assert _keras.takes_mask(keras.layers.GlobalAveragePooling1D())
    assert not _keras.takes_mask(keras.layers.Flatten())


@check
def own_losses():
    model = net()
    model(data()[0])
    assert len(_keras.own_losses(model.get_layer("wide"))) == 1
    assert not _keras.own_losses(model)


@check
def clear_losses():
    model = net()
    model(data()[0])
    assert model.losses
    _keras.clear_losses(model)
    assert not _keras.own_losses(model.get_layer("wide"))


@check
def file_attributes():
    import tempfile

    found = []

    class Noting(keras.layers.Dense):
        def save_own_variables(self, store):
            found.append(_keras.file_attributes(store))
            super().save_own_variables(store)

    model = keras.Sequential([keras.Input((3,)), Noting(1)])
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/a.weights.h5")
    assert found[0] is not None
    assert _keras.file_attributes({}) is None


@check
def held_tensor():
    variable = keras.Variable([1.0, 2.0])
    held = _keras.held_tensor(variable)
    np.testing.assert_array_equal(ops.convert_to_numpy(held), [1.0, 2.0])
    if BACKEND == "torch":
        assert held is variable.value


@check
def has_value():
    variable = keras.Variable([1.0, 2.0])
    assert _keras.has_value(variable)
    on("jax")
    variable._value = None
    assert not _keras.has_value(variable)
    with pytest.raises((AttributeError, TypeError, ValueError)):
        ops.convert_to_numpy(variable)


@check
def value_before_tracing():
    variable = keras.Variable([1.0, 2.0])
    found = []

    class Reading(keras.layers.Layer):
        def call(self, x):
            value = _keras.value_before_tracing(variable)
            found.append(np.array(value))
            return x

    keras.Sequential([Reading()]).predict(np.ones((1, 2)), verbose=0)
    np.testing.assert_array_equal(found[-1], [1.0, 2.0])


@check
def stored_dtype():
    layer = keras.layers.Dense(1, dtype="mixed_bfloat16")
    layer.build((None, 2))
    with _keras.AutocastScope("bfloat16"):
        assert _keras.stored_dtype(layer.kernel) == "float32"


@check
def autocasts():
    assert _keras.autocasts(keras.Variable(1.0))
    assert not _keras.autocasts(keras.Variable(1.0, autocast=False))


@check
def layout_of():
    assert _keras.layout_of(keras.Variable(1.0)) is None
    on("jax")
    import jax

    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    variable = keras.Variable([1.0], layout=device)
    assert _keras.layout_of(variable) is device

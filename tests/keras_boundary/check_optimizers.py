"""Checks of `_keras.optimizers`."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_boundary.common import (
    check,
    on,
    stepped,
)

from keras_regopt import _keras


@check
def held_rate():
    optimizer, _ = stepped()
    assert isinstance(_keras.held_rate(optimizer), keras.Variable)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    assert _keras.held_rate(keras.optimizers.SGD(schedule)) is schedule


@check
def replace_rate():
    optimizer, _ = stepped()
    before = _keras.held_rate(optimizer)
    schedule = keras.optimizers.schedules.PolynomialDecay(0.25, 10)
    _keras.replace_rate(optimizer, schedule)
    optimizer.iterations.assign(0)
    assert float(optimizer.learning_rate) == 0.25
    _keras.replace_rate(optimizer, before)
    assert float(optimizer.learning_rate) == 0.5


@check
def count_of_calls():
    optimizer, variable = stepped(gradient_accumulation_steps=2)
    optimizer.apply([ops.ones(2)], [variable])
    assert int(_keras.count_of_calls(optimizer)) == 2
    assert int(optimizer.iterations) == 1


@check
def trained_variables():
    optimizer, variable = stepped()
    (known,) = _keras.trained_variables(optimizer)
    assert known is variable


@check
def own_variables():
    optimizer, _ = stepped(momentum=0.9)
    assert len(_keras.own_variables(optimizer)) == 3
    assert _keras.own_variables(optimizer)[0] is optimizer.iterations


@check
def index_of():
    optimizer, variable = stepped()
    assert _keras.index_of(optimizer, variable) == 0
    with pytest.raises(KeyError):
        _keras.index_of(optimizer, keras.Variable(1.0))


@check
def index_or_none():
    optimizer, variable = stepped()
    assert _keras.index_or_none(optimizer, variable) == 0
    assert _keras.index_or_none(optimizer, keras.Variable(1.0)) is None


@check
def is_overwritten():
    optimizer, variable = stepped()
    assert not _keras.is_overwritten(optimizer, variable)
    variable.overwrite_with_gradient = True
    assert _keras.is_overwritten(optimizer, variable)


@check
def averages_of():
    optimizer, variable = stepped(use_ema=True)
    (average,) = _keras.averages_of(optimizer)
    np.testing.assert_allclose(
        ops.convert_to_numpy(average), ops.convert_to_numpy(variable)
    )


@check
def move_averages():
    optimizer, variable = stepped(use_ema=True, ema_momentum=0.5)
    optimizer.apply([ops.ones(2)], [variable])
    variable.assign([8.0, 8.0])
    before = ops.convert_to_numpy(_keras.averages_of(optimizer)[0]).copy()
    _keras.move_averages(optimizer, [variable])
    np.testing.assert_allclose(
        ops.convert_to_numpy(_keras.averages_of(optimizer)[0]),
        (before + 8) / 2,
    )


@check
def overwrite_with_averages():
    optimizer, variable = stepped(use_ema=True)
    average = ops.convert_to_numpy(_keras.averages_of(optimizer)[0]).copy()
    variable.assign([8.0, 8.0])
    _keras.overwrite_with_averages(optimizer, [variable])
    np.testing.assert_allclose(ops.convert_to_numpy(variable), average)


@check
def accumulated_gradients():
    optimizer, variable = stepped(gradient_accumulation_steps=4)
    (own,) = _keras.accumulated_gradients(optimizer, [variable])
    np.testing.assert_array_equal(ops.convert_to_numpy(own), [1.0, 1.0])


@check
def accumulate():
    optimizer, variable = stepped(gradient_accumulation_steps=4)
    sums = _keras.accumulated_gradients(optimizer, [variable])
    _keras.accumulate(optimizer, [ops.ones(2)], sums)
    np.testing.assert_array_equal(ops.convert_to_numpy(sums[0]), [2.0, 2.0])


@check
def clipped():
    optimizer, _ = stepped(clipvalue=0.5)
    (gradient,) = _keras.clipped(optimizer, [ops.ones(2)])
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [0.5, 0.5])


@check
def decay_weights():
    optimizer, variable = stepped(weight_decay=0.5)
    variable.assign([4.0, 8.0])
    _keras.decay_weights(optimizer, [variable])
    np.testing.assert_array_equal(ops.convert_to_numpy(variable), [3.0, 6.0])


@check
def decays():
    optimizer = keras.optimizers.SGD(0.5, weight_decay=0.5)
    variables = [keras.Variable([1.0], name=name) for name in ("a", "b")]
    optimizer.exclude_from_weight_decay(var_names=["b"])
    optimizer.build(variables)
    assert [_keras.decays(optimizer, v) for v in variables] == [True, False]


@check
def step_of_backend():
    optimizer, variable = stepped()
    _keras.step_of_backend(optimizer, [ops.ones(2)], [variable], 0.5)
    np.testing.assert_array_equal(ops.convert_to_numpy(variable), [0.0, 1.0])


@check
def all_reduced():
    on("tensorflow")
    optimizer, variable = stepped()
    (gradient,) = _keras.all_reduced(optimizer, [ops.ones(2)], [variable])
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [1.0, 1.0])


@check
def strategy_of():
    on("tensorflow")
    import tensorflow as tf

    strategy = _keras.strategy_of(stepped()[0])
    assert isinstance(strategy, tf.distribute.Strategy)

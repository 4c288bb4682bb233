"""Weights that step in turn, and state that comes from a file in part."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.optimizers import (
    MSAM,
    AdaBelief,
    ExponentialMovingAverage,
    GradientAccumulation,
    Lookahead,
    RAdam,
)

RATE = 1e-3


def sgd():
    return keras.optimizers.SGD(RATE)


def copying_wrappers():
    return [
        Lookahead(sgd(), sync_period=2),
        ExponentialMovingAverage(sgd(), bias_correction=False),
        ExponentialMovingAverage(sgd(), momentum=0.5),
        MSAM(RATE),
    ]


def halves():
    return [keras.Variable(np.full(3, 2.0, "float32")) for _ in range(2)]


def moved(variables):
    return [np.abs(ops.convert_to_numpy(v) - 2.0).max() for v in variables]


@pytest.mark.parametrize("which", range(4))
def test_halves_that_step_in_turn_move_by_their_steps_alone(which):
    optimizer, variables = copying_wrappers()[which], halves()
    optimizer.build(variables)
    for step in range(12):
        optimizer.apply([ops.ones(3)], [variables[step % 2]])
    optimizer.finalize_variable_values(variables)
    # Six steps each; momentum makes at most ten of one.
    assert max(moved(variables)) < 61 * RATE
    assert np.allclose(*moved(variables), atol=1e-6)


@pytest.mark.parametrize("which", range(4))
def test_a_weight_that_never_steps_stays_where_it_is(which):
    optimizer, variables = copying_wrappers()[which], halves()
    optimizer.build(variables)
    for _ in range(4):
        optimizer.apply([ops.ones(3)], variables[:1])
    optimizer.finalize_variable_values(variables)
    assert moved(variables)[1] == 0


@pytest.mark.parametrize("which", range(4))
def test_steps_counted_before_the_slots_came_do_not_move_the_weights(which):
    optimizer, variables = copying_wrappers()[which], halves()
    optimizer.build(variables)
    for one in (optimizer, getattr(optimizer, "inner", optimizer)):
        one._iterations.assign(8)
    for _ in range(4):
        optimizer.apply([ops.ones(3)] * 2, variables)
    optimizer.finalize_variable_values(variables)
    assert max(moved(variables)) < 41 * RATE


@pytest.mark.parametrize("which", range(4))
def test_after_a_restart_the_new_weights_count(which):
    optimizer, variables = copying_wrappers()[which], halves()
    optimizer.apply([ops.ones(3)] * 2, variables)
    for variable in variables:
        variable.assign(np.full(3, 5.0, "float32"))
    optimizer.restart()
    for _ in range(4):
        optimizer.apply([ops.ones(3)] * 2, variables)
    optimizer.finalize_variable_values(variables)
    assert max(abs(m - 3) for m in moved(variables)) < 51 * RATE


def stored(optimizer):
    store = {}
    optimizer.save_own_variables(store)
    return store


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("source", "target"), list(itertools.permutations(range(4), 2))
)
def test_the_state_of_another_class_is_left_out_as_a_whole(source, target):
    def made(which):
        optimizer = [
            lambda: Lookahead(sgd()),
            lambda: GradientAccumulation(sgd(), 2),
            lambda: ExponentialMovingAverage(sgd()),
            lambda: MSAM(RATE),
        ][which]()
        optimizer.build(halves())
        return optimizer

    before, store = made(target), stored(made(source))
    expected = stored(before)
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        before.load_own_variables(store)
    for key, value in stored(before).items():
        np.testing.assert_array_equal(value, expected[key])


def test_a_state_of_equal_shapes_is_not_taken_for_ones_own():
    radam, belief = RAdam(RATE), AdaBelief(RATE)
    radam.apply([ops.ones(3)] * 2, halves())
    belief.build(halves())
    store = stored(radam)
    with pytest.warns(UserWarning, match="the saved one of the class RAdam"):
        belief.load_own_variables(store)
    assert not any(v.numpy().any() for v in belief.variables[2:])
    # Keras leaves it out, too.
    adam = keras.optimizers.Adam(RATE)
    adam.build(halves())
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        adam.load_own_variables(store)
    # What Keras wrote does not say whose it is.
    belief.load_own_variables(stored(adam))


@pytest.mark.any_backend
def test_a_state_without_names_loads_if_it_fits():
    first, then = Lookahead(sgd()), Lookahead(sgd())
    variables = halves()
    for _ in range(3):
        first.apply([ops.ones(3)] * 2, variables)
    then.build(halves())
    # As files of 0.1.0 are: without the names, and without the counts.
    store = stored(first)
    del store["layout"], store["4"]
    then.load_own_variables(store)
    assert then.steps.numpy().tolist() == [3, 3]
    np.testing.assert_array_equal(then.slow[0].numpy(), first.slow[0].numpy())

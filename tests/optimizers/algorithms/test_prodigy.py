import keras
import numpy as np
import pytest
from against_keras import last_everywhere
from optax import contrib
from trajectories import (
    FEW,
    assert_close,
    assert_close_in_half_precision,
    falling,
    optax_run,
    quick_step,
    run,
    values_of,
)

from keras_regopt.optimizers import ParameterGroup, Prodigy


def given(step):
    """Gradients to one side, so that there is a rate to find."""
    return [g + np.float32(0.5) for g in FEW(step)]


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
@pytest.mark.parametrize("safeguard_warmup", last_everywhere(False, True))
def test_follows_optax_for_forty_steps(safeguard_warmup, weight_decay):
    ours = Prodigy(
        d0=0.01, safeguard_warmup=safeguard_warmup, weight_decay=weight_decay
    )
    theirs = contrib.prodigy(
        estim_lr0=0.01,
        safeguard_warmup=safeguard_warmup,
        weight_decay=weight_decay,
    )
    assert_close(run(ours, 40, given=given), optax_run(theirs, 40, given=given))
    assert value_of(ours.d) > 0.015


def test_follows_optax_from_the_default_start():
    # In float32 for both, since the way from the start is tiny at first, and
    # rounded to few digits.
    ours = Prodigy()
    assert_close(
        run(ours, 30, given=given),
        optax_run(contrib.prodigy(), 30, given=given, dtype="float32"),
    )
    assert value_of(ours.d) > 1e-5


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling(1.0)
    ours = Prodigy(
        ours, beta_1=0.8, beta_2=0.99, beta_3=0.9, d0=0.01, d_coef=0.5
    )
    theirs = contrib.prodigy(
        theirs,
        betas=(0.8, 0.99),
        beta3=0.9,
        estim_lr0=0.01,
        estim_lr_coef=0.5,
    )
    assert_close(run(ours, 20, given=given), optax_run(theirs, 20, given=given))


@pytest.mark.any_backend
@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_finds_its_rate_at_any_scale(scale):
    target = np.array([1.0, -2.0, 0.5], "float32") * scale
    variable = keras.Variable(np.zeros(3))
    rate = keras.optimizers.schedules.CosineDecay(1.0, 300)
    optimizer = Prodigy(rate, beta_2=0.99)
    step = quick_step(optimizer, [variable])
    for _ in range(300):
        step([keras.ops.convert_to_tensor(values_of([variable])[0] - target)])
    np.testing.assert_allclose(variable.numpy(), target, atol=0.05 * scale)


def test_a_frozen_variable_has_no_part_in_the_estimate():
    estimates = []
    for names in (["kernel"], ["kernel", "bias"]):
        variables = [keras.Variable([1.0, 2.0], name=name) for name in names]
        groups = [ParameterGroup("bias", learning_rate=0)]
        optimizer = Prodigy(d0=0.01, groups=groups if names[1:] else None)
        for _ in range(10):
            gradients = [keras.ops.ones((2,)) for _ in names]
            optimizer.apply(gradients, variables)
        estimates.append(value_of(optimizer.d))
    assert estimates[0] == estimates[1] > 0.01
    np.testing.assert_array_equal(variables[1].numpy(), [1.0, 2.0])


def test_the_way_of_a_variable_begins_with_its_first_gradient():
    variables = [keras.Variable([1.0]), keras.Variable([100.0])]
    optimizer = Prodigy(d0=0.01)
    optimizer.build(variables)
    gradient = keras.ops.convert_to_tensor([-1.0])
    for _ in range(3):
        optimizer.apply([gradient], variables[:1])
    for _ in range(3):
        optimizer.apply([gradient, gradient], variables)
    # Not the way from zero to 100.
    assert value_of(optimizer.d) < 1


def test_gradients_of_zero_leave_the_estimate():
    variable = keras.Variable([1.0])
    optimizer = Prodigy()
    for _ in range(2):
        optimizer.apply([keras.ops.zeros((1,))], [variable])
    np.testing.assert_allclose(value_of(optimizer.d), 1e-6)


def value_of(variable):
    return float(keras.ops.convert_to_numpy(variable.value))


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(
        lambda: Prodigy(d0=0.01), atol=0.1, given=given
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": 0.0},
        {"beta_3": 1.0},
        {"epsilon": 0.0},
        {"d0": 0.0},
        {"d_coef": 0.0},
        {"safeguard_warmup": 1},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of Prodigy must be"):
        Prodigy(**arguments)

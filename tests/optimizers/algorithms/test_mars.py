import keras
import numpy as np
import pytest
import pytorch_optimizer
from against_keras import last_everywhere
from trajectories import (
    FEW,
    assert_close,
    assert_close_in_half_precision,
    falling,
    run,
    torch_run,
)

from keras_regopt.optimizers import MARS


def reference_run(learning_rate, steps, weight_decay=0.0, **options):
    # It adds epsilon before it corrects the bias, which shows where one of
    # many first gradients is close to zero.
    return torch_run(
        pytorch_optimizer.MARS,
        learning_rate,
        steps,
        lr=1.0,
        lr_1d=1.0,
        weight_decay=weight_decay,
        weight_decay_1d=weight_decay,
        given=FEW,
        **options,
    )


@pytest.mark.parametrize("optimize_1d", last_everywhere(False, True))
@pytest.mark.parametrize("variant", last_everywhere("lion", "adamw"))
@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.5))
def test_follows_pytorch_optimizer_for_thirty_steps(
    optimize_1d, variant, weight_decay
):
    ours = run(
        MARS(
            0.01,
            variant=variant,
            optimize_1d=optimize_1d,
            epsilon=1e-8,
            weight_decay=weight_decay,
        ),
        30,
        given=FEW,
    )
    theirs = reference_run(
        0.01,
        30,
        mars_type=variant,
        optimize_1d=optimize_1d,
        weight_decay=weight_decay,
    )
    assert_close(ours, theirs)


def test_follows_pytorch_optimizer_where_gradients_are_not_clipped():
    ours = run(
        MARS(0.01, 0.9, 0.999, 0.1, beta_1_1d=0.8, epsilon=1e-8),
        20,
        scale=0.1,
        given=FEW,
    )
    theirs = reference_run(
        0.01,
        20,
        scale=0.1,
        betas=(0.9, 0.999),
        betas_1d=(0.8, 0.95),
        gamma=0.1,
    )
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_follows_pytorch_optimizer_under_a_schedule():
    schedule, rate_at = falling()
    ours = run(MARS(schedule, epsilon=1e-8), 20, given=FEW)
    theirs = reference_run(rate_at, 20)
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: MARS(0.1))


def test_keeps_only_the_state_that_it_needs():
    vector, matrix = keras.Variable(np.ones(3)), keras.Variable(np.ones((2, 3)))
    optimizer = MARS(variant="lion")
    optimizer.build([vector, matrix])
    assert optimizer.states("velocity")[0] is not None
    assert optimizer.states("velocity")[1] is None
    assert optimizer.states("last_gradient")[0] is None
    assert optimizer.states("last_gradient")[1] is not None


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"gamma": -1},
        {"variant": "shampoo"},
        {"optimize_1d": 1},
        {"beta_1_1d": 1.0},
        {"beta_2_1d": 1.0},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of MARS must be"):
        MARS(**arguments)

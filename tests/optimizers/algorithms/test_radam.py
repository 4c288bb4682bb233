import keras
import numpy as np
import pytest
import torch
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    run,
    torch_run,
)

from keras_regopt.optimizers import RAdam


@pytest.mark.parametrize("beta_2", last_everywhere(0.9, 0.99, 0.999))
@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_torch_for_thirty_steps(beta_2, weight_decay):
    ours = run(
        RAdam(0.01, beta_2=beta_2, epsilon=1e-8, weight_decay=weight_decay), 30
    )
    theirs = torch_run(
        torch.optim.RAdam,
        0.01,
        30,
        betas=(0.9, beta_2),
        weight_decay=weight_decay,
        decoupled_weight_decay=True,
    )
    assert_close(ours, theirs, rtol=2e-5)


@pytest.mark.any_backend
def test_follows_torch_under_a_schedule():
    schedule, rate_at = falling()
    ours = run(RAdam(schedule, epsilon=1e-8), 20)
    theirs = torch_run(torch.optim.RAdam, rate_at, 20)
    assert_close(ours, theirs, rtol=2e-5)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: RAdam(0.01))


def test_makes_plain_momentum_steps_while_the_variance_is_intractable():
    # With beta_2 = 0.999 the approximated length exceeds 5 at step 6.
    variable = keras.Variable([1.0])
    optimizer = RAdam(0.1, beta_1=0.0)
    values = [1.0]
    for _ in range(6):
        optimizer.apply([keras.ops.convert_to_tensor([0.25])], [variable])
        values.append(variable.numpy().item())
    steps = -np.diff(values)
    np.testing.assert_allclose(steps[:5], 0.025, rtol=1e-4)
    assert steps[5] < 0.01


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"learning_rate": "fast"},
        {"beta_1": 1.0},
        {"beta_2": 0.0},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of RAdam must be"):
        RAdam(**arguments)

import keras
import numpy as np
import pytest
import pytorch_optimizer
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    run,
    torch_run,
)

from keras_regopt.optimizers import Adan


@pytest.mark.parametrize(
    "betas", last_everywhere((0.9, 0.0, 0.999), (0.98, 0.92, 0.99))
)
@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.5))
def test_follows_pytorch_optimizer_for_thirty_steps(betas, weight_decay):
    ours = run(Adan(0.01, *betas, epsilon=1e-8, weight_decay=weight_decay), 30)
    theirs = torch_run(
        pytorch_optimizer.Adan, 0.01, 30, betas=betas, weight_decay=weight_decay
    )
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_follows_pytorch_optimizer_under_a_schedule():
    schedule, rate_at = falling()
    ours = run(Adan(schedule, epsilon=1e-8, weight_decay=0.1), 20)
    theirs = torch_run(pytorch_optimizer.Adan, rate_at, 20, weight_decay=0.1)
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: Adan(0.1))


def test_is_adam_while_the_gradient_does_not_change():
    moved = []
    for optimizer in (
        Adan(0.1, beta_1=0.9, beta_3=0.999),
        keras.optimizers.Adam(0.1),
    ):
        variable = keras.Variable([1.0, -2.0])
        for _ in range(5):
            gradient = keras.ops.convert_to_tensor([0.3, 0.1])
            optimizer.apply([gradient], [variable])
        moved.append(keras.ops.convert_to_numpy(variable))
    np.testing.assert_allclose(*moved, rtol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"beta_3": 1.5},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of Adan must be"):
        Adan(**arguments)

import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    gradients,
    optax_run,
    run,
)

from keras_regopt.optimizers import LARS


def paper_run(steps, rate_at, momentum, coefficient, decay, excluded=()):
    """The paper's algorithm 1, plainly."""
    weights = [np.float64(value) for value in gradients(1000)]
    momentums = [np.zeros_like(value) for value in weights]
    for step in range(steps):
        for i, gradient in enumerate(gradients(step)):
            if i in excluded:
                local_rate, move = 1.0, gradient
            else:
                length = np.linalg.norm(weights[i])
                local_rate = coefficient * length
                local_rate /= np.linalg.norm(gradient) + decay * length
                move = gradient + decay * weights[i]
            momentums[i] *= momentum
            momentums[i] += rate_at(step) * local_rate * move
            weights[i] = weights[i] - momentums[i]
    return weights


@pytest.mark.parametrize("nesterov", last_everywhere(False, True))
def test_follows_optax_without_weight_decay(nesterov):
    ours = LARS(1.0, trust_coefficient=0.01, nesterov=nesterov, epsilon=0.1)
    theirs = optax.lars(1.0, trust_coefficient=0.01, nesterov=nesterov, eps=0.1)
    assert_close(run(ours, 30), optax_run(theirs, 30))


@pytest.mark.any_backend
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_follows_the_paper_with_weight_decay_under_a_schedule(momentum):
    ours, theirs = falling(1.0)
    ours = LARS(ours, momentum, trust_coefficient=0.01, weight_decay=0.1)
    assert_close(run(ours, 20), paper_run(20, theirs, momentum, 0.01, 0.1))


def test_excluded_variables_follow_momentum_without_decay():
    ours = LARS(0.1, 0.5, exclude="bias", weight_decay=0.1)
    variables = [
        keras.Variable(value, name=name)
        for value, name in zip(
            gradients(1000), ["gain", "bias", "kernel", "pre_bias"], strict=True
        )
    ]
    theirs = paper_run(20, lambda step: 0.1, 0.5, 0.001, 0.1, excluded=[1])
    assert_close(run(ours, 20, variables), theirs)


def test_weights_and_gradients_of_zero_have_a_ratio_of_one():
    variables = [keras.Variable([0.0, 0.0]), keras.Variable([3.0, 4.0])]
    moves = [keras.ops.ones((2,)), keras.ops.zeros((2,))]
    LARS(0.1).apply(moves, variables)
    np.testing.assert_allclose(variables[0].numpy(), [-0.1, -0.1], rtol=1e-5)
    np.testing.assert_array_equal(variables[1].numpy(), [3.0, 4.0])


@pytest.mark.any_backend
def test_warns_of_a_pattern_that_matches_nothing():
    optimizer = LARS(exclude="bias")
    with pytest.warns(UserWarning, match="'bias'.*matches no variable"):
        optimizer.build([keras.Variable([1.0], name="kernel")])


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: LARS(1.0, trust_coefficient=0.01))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"momentum": 1.0},
        {"trust_coefficient": 0.0},
        {"epsilon": -1.0},
        {"nesterov": "yes"},
        {"exclude": "("},
        {"exclude": 3},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of LARS must be"):
        LARS(**arguments)

import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    optax_run,
    run,
)

from keras_regopt.optimizers import AdaBelief


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
@pytest.mark.parametrize("beta_1", last_everywhere(0.0, 0.9))
def test_follows_optax_for_thirty_steps(beta_1, weight_decay):
    ours = run(AdaBelief(0.01, beta_1, weight_decay=weight_decay), 30)
    theirs = optax.chain(
        optax.scale_by_belief(b1=beta_1),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(0.01),
    )
    # Without an average, nothing but epsilon is left to divide by.
    scale = 1 if beta_1 else 1e-6
    for a, b in zip(ours, optax_run(theirs, 30), strict=True):
        np.testing.assert_allclose(a * scale, b * scale, rtol=1e-5, atol=1e-6)


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling(0.1)
    theirs = optax.adabelief(theirs, b2=0.9, eps=1e-3, eps_root=1e-3)
    assert_close(
        run(AdaBelief(ours, beta_2=0.9, epsilon=1e-3), 20),
        optax_run(theirs, 20),
    )


def test_steps_are_long_where_gradients_are_as_expected():
    ways = []
    for gradients in ([1.0] * 20, [1.0, -1.0] * 10):
        variable = keras.Variable(0.0)
        optimizer = AdaBelief(0.01, epsilon=1e-8)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        ways.append(abs(float(variable.numpy())))
    assert ways[0] > 10 * ways[1]


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: AdaBelief(0.01))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": 0.0},
        {"epsilon": 0.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of AdaBelief must be"):
        AdaBelief(**arguments)

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

from keras_regopt.optimizers import ADOPT


def paper_run(steps, rate, decay, clip, beta_1=0.9, beta_2=0.9999, least=1e-6):
    """The authors' algorithm with decoupled weight decay, in float64."""
    variables = [v.astype("float64") for v in gradients(1000)]
    velocities = [np.square(g.astype("float64")) for g in gradients(0)]
    momentums = [np.zeros_like(v) for v in variables]
    for step in range(1, steps):
        for i, g in enumerate(gradients(step)):
            variables[i] = variables[i] * (1 - rate * decay)
            scaled = g / np.maximum(np.sqrt(velocities[i]), least)
            if clip is not None:
                scaled = np.clip(scaled, -(step**clip), step**clip)
            momentums[i] = beta_1 * momentums[i] + (1 - beta_1) * scaled
            variables[i] = variables[i] - rate * momentums[i]
            velocities[i] = beta_2 * velocities[i] + (1 - beta_2) * g**2.0
    return variables


@pytest.mark.parametrize("betas", last_everywhere((0.0, 0.9), (0.9, 0.9999)))
def test_follows_optax_for_thirty_steps(betas):
    ours = run(ADOPT(0.01, *betas), 30)
    theirs = optax_run(optax.contrib.adopt(0.01, b1=betas[0], b2=betas[1]), 30)
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling()
    theirs = optax_run(optax.contrib.adopt(theirs), 20)
    assert_close(run(ADOPT(ours), 20), theirs)


@pytest.mark.parametrize("clip", last_everywhere(None, 0.0, 0.25))
@pytest.mark.parametrize("decay", last_everywhere(0.0, 0.5))
def test_follows_the_authors_with_weight_decay_for_thirty_steps(clip, decay):
    ours = run(ADOPT(0.01, clip=clip, weight_decay=decay), 30)
    theirs = paper_run(30, 0.01, decay, clip)
    assert_close(ours, theirs, atol=2e-6)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: ADOPT(0.1))


def test_does_not_move_at_the_first_step():
    start = gradients(1000)
    for clip in (0.25, 0.0, None):
        first = run(ADOPT(0.1, clip=clip, weight_decay=0.5), 1)
        for a, b in zip(first, start, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"epsilon": 0.0},
        {"clip": -1.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of ADOPT must be"):
        ADOPT(**arguments)

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

from keras_regopt.optimizers import Yogi


def yogi(rate, weight_decay=0.0, start=1e-6, **options):
    """optax' transformation, but for the start of its momentum."""
    transform = optax.chain(
        optax.scale_by_yogi(initial_accumulator_value=start, **options),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(rate),
    )

    def init(values):
        first, *others = transform.init(values)
        zeros = [np.zeros_like(value) for value in values]
        return first._replace(mu=zeros), *others

    return optax.GradientTransformation(init, transform.update)


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
@pytest.mark.parametrize("start", last_everywhere(1e-6, 0.5))
def test_follows_optax_for_thirty_steps(start, weight_decay):
    ours = Yogi(
        0.01, initial_accumulator_value=start, weight_decay=weight_decay
    )
    theirs = yogi(0.01, weight_decay, start)
    assert_close(run(ours, 30), optax_run(theirs, 30))


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling(0.1)
    assert_close(
        run(Yogi(ours, beta_1=0.8, beta_2=0.9, epsilon=1e-4), 20),
        optax_run(yogi(theirs, b1=0.8, b2=0.9, eps=1e-4), 20),
    )


def test_weights_without_a_gradient_stay():
    variable = keras.Variable([1.0, 2.0])
    optimizer = Yogi(0.1)
    for _ in range(3):
        optimizer.apply([keras.ops.zeros((2,))], [variable])
    np.testing.assert_array_equal(variable.numpy(), [1.0, 2.0])


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: Yogi(0.01))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": 0.0},
        {"epsilon": 0.0},
        {"initial_accumulator_value": -1.0},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of Yogi must be"):
        Yogi(**arguments)

import keras
import numpy as np
import optax
import pytest
from reference_rates import rates

from keras_regopt.schedules import InverseSquareRoot, Join, LinearToZero


def test_equals_optax_at_every_step_and_at_the_joins():
    theirs = optax.schedules.join_schedules(
        [
            optax.schedules.linear_schedule(0.0, 0.5, 10),
            optax.schedules.constant_schedule(0.5),
            optax.schedules.exponential_decay(0.5, 5, 0.5),
        ],
        [10, 25],
    )
    ours = Join(
        [
            keras.optimizers.schedules.PolynomialDecay(0.0, 10, 0.5),
            0.5,
            keras.optimizers.schedules.ExponentialDecay(0.5, 5, 0.5),
        ],
        [10, 25],
    )
    np.testing.assert_allclose(
        rates(ours, range(60)), [theirs(s) for s in range(60)], atol=1e-6
    )


@pytest.mark.any_backend
def test_nests_and_comes_back_with_its_schedules():
    inner = Join([0.1, LinearToZero(0.2, 10)], [5])
    schedule = Join([InverseSquareRoot(0.1, 3), inner], [20])
    again = Join.from_config(schedule.get_config())
    np.testing.assert_array_equal(
        rates(again, range(50)), rates(schedule, range(50))
    )
    np.testing.assert_allclose(
        rates(schedule, [19, 20, 25, 30]),
        [0.1 * (3 / 19) ** 0.5, 0.1, 0.2, 0.1],
        rtol=1e-6,
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"schedules": [0.1]}, "schedules"),
        ({"schedules": [0.1, "cosine"]}, "schedules"),
        ({"boundaries": [1, 2]}, "boundaries"),
        ({"boundaries": []}, "boundaries"),
        ({"schedules": [1, 1, 1], "boundaries": [9, 3]}, "boundaries"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"schedules": [0.1, 0.2], "boundaries": [10]}
    with pytest.raises(ValueError, match=f"`{name}` of Join must be"):
        Join(**{**good, **arguments})

import numpy as np
import optax
import pytest
from reference_rates import rates

from keras_regopt.schedules import PiecewiseInterpolation


@pytest.mark.any_case
@pytest.mark.parametrize("interpolation", ["linear", "cosine"])
def test_equals_optax_at_every_step_and_beyond(interpolation):
    theirs = optax.schedules.piecewise_interpolate_schedule(
        interpolation, 0.4, {10: 2.0, 25: 0.25, 40: 0.5}
    )
    ours = PiecewiseInterpolation(
        [0, 10, 25, 40], [0.4, 0.8, 0.2, 0.1], interpolation
    )
    np.testing.assert_allclose(
        rates(ours, range(60)), [theirs(s) for s in range(60)], atol=1e-6
    )


@pytest.mark.any_backend
def test_holds_its_first_value_before_the_first_boundary():
    schedule = PiecewiseInterpolation([10, 20], [0.3, 0.1])
    np.testing.assert_allclose(rates(schedule, [0, 9, 10]), 0.3, rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"boundaries": [0]}, "boundaries"),
        ({"boundaries": [0, 10, 10]}, "boundaries"),
        ({"boundaries": [-1, 10, 20]}, "boundaries"),
        ({"values": [1, 2]}, "values"),
        ({"values": [1, 2, -1]}, "values"),
        ({"interpolation": "cubic"}, "interpolation"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"boundaries": [0, 10, 20], "values": [1, 2, 1]}
    with pytest.raises(
        ValueError, match=f"`{name}` of PiecewiseInterpolation must be"
    ):
        PiecewiseInterpolation(**{**good, **arguments})

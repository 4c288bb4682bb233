import numpy as np
import optax
import pytest
from reference_rates import rates

from keras_regopt.schedules import LinearToZero


def test_equals_optax_at_every_step_and_beyond_the_last():
    theirs = optax.schedules.linear_schedule(0.3, 0.0, 40)
    ours = rates(LinearToZero(0.3, 40), range(50))
    np.testing.assert_allclose(ours, [theirs(s) for s in range(50)], atol=1e-7)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"total_steps": 0}, "total_steps"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 1, "total_steps": 3}
    with pytest.raises(ValueError, match=f"`{name}` of LinearToZero must be"):
        LinearToZero(**{**good, **arguments})

import keras
import numpy as np
import pytest
from reference_rates import rates

from keras_regopt.schedules import Floor


def test_is_the_schedule_or_the_minimum():
    fall = keras.optimizers.schedules.ExponentialDecay(1.0, 5, 0.5)
    ours = rates(Floor(fall, 0.1), range(40))
    np.testing.assert_allclose(
        ours, np.maximum(rates(fall, range(40)), 0.1), rtol=1e-6
    )
    assert ours[0] == 1
    assert ours[-1] == pytest.approx(0.1)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"schedule": None}, "schedule"), ({"minimum": -1}, "minimum")],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"schedule": 0.1, "minimum": 0.01}
    with pytest.raises(ValueError, match=f"`{name}` of Floor must be"):
        Floor(**{**good, **arguments})

import keras
import numpy as np
import pytest
from reference_rates import rates

from keras_regopt.schedules import TimeBasedDecay


def test_equals_the_textbook_formula_at_every_step():
    expected = [0.5 / (1 + 0.3 * step) for step in range(200)]
    ours = rates(TimeBasedDecay(0.5, 0.3), range(200))
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_equals_the_inverse_time_decay_of_keras():
    theirs = keras.optimizers.schedules.InverseTimeDecay(0.5, 1, 0.3)
    ours = TimeBasedDecay(0.5, 0.3)
    steps = [0, 1, 17, 10**5]
    np.testing.assert_allclose(
        rates(ours, steps), rates(theirs, steps), rtol=1e-6
    )


@pytest.mark.any_backend
def test_changes_at_the_end_of_each_epoch_alone():
    ours = rates(TimeBasedDecay(0.5, 0.3, steps_per_epoch=7), range(50))
    expected = [0.5 / (1 + 0.3 * (step // 7)) for step in range(50)]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"decay_rate": -0.1}, "decay_rate"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 0.1, "decay_rate": 0.1}
    with pytest.raises(ValueError, match=f"`{name}` of TimeBasedDecay must be"):
        TimeBasedDecay(**{**good, **arguments})

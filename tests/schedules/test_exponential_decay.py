import math

import keras
import numpy as np
import pytest
import torch
from keras_tests import count_of_tests_that_make
from keras_versions import keras_test_module
from reference_rates import rates, torch_rates

from keras_regopt.schedules import ExponentialDecay

learning_rate_schedule_test = keras_test_module(
    "keras.src.optimizers.schedules.learning_rate_schedule_test"
)

# Run here as a whole: Keras' own tests, against our class.
ExponentialDecayTest = learning_rate_schedule_test.ExponentialDecayTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(
        "keras.src.optimizers.schedules.ExponentialDecay", ExponentialDecay
    )


def test_keras_own_tests_make_our_class(monkeypatch):
    made, tests = count_of_tests_that_make(
        ExponentialDecayTest, "ExponentialDecay", monkeypatch
    )
    assert made == tests >= 4


@pytest.mark.parametrize("staircase", [False, True])
def test_equals_keras_at_every_step(staircase):
    arguments = (0.3, 7, 0.9, staircase)
    theirs = keras.optimizers.schedules.ExponentialDecay(*arguments)
    steps = [*range(60), 10**4]
    np.testing.assert_allclose(
        rates(ExponentialDecay(*arguments), steps),
        rates(theirs, steps),
        rtol=5e-6,
        atol=1e-30,
    )


@pytest.mark.any_backend
def test_equals_torch_at_every_step():
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.95), 100
    )
    ours = rates(ExponentialDecay(1.0, 1, 0.95), range(100))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.any_backend
def test_counts_epochs_where_their_length_is_given():
    schedule = ExponentialDecay(1.0, 1, math.exp(-0.1), steps_per_epoch=10)
    expected = [math.exp(-0.1 * (step // 10)) for step in range(80)]
    np.testing.assert_allclose(rates(schedule, range(80)), expected, rtol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"decay_steps": 0}, "decay_steps"),
        ({"decay_rate": 0}, "decay_rate"),
        ({"staircase": 1}, "staircase"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 1, "decay_steps": 3, "decay_rate": 0.5}
    with pytest.raises(ValueError, match=f"`{name}` of ExponentialDecay must"):
        ExponentialDecay(**{**good, **arguments})

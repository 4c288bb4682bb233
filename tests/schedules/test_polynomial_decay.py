import keras
import numpy as np
import pytest
import torch
from keras_tests import count_of_tests_that_make
from keras_versions import keras_test_module
from reference_rates import rates, torch_rates

from keras_regopt.schedules import PolynomialDecay

learning_rate_schedule_test = keras_test_module(
    "keras.src.optimizers.schedules.learning_rate_schedule_test"
)

# Run here as a whole: Keras' own tests, against our class.
LinearDecayTest = learning_rate_schedule_test.LinearDecayTest
SqrtDecayTest = learning_rate_schedule_test.SqrtDecayTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(
        "keras.src.optimizers.schedules.PolynomialDecay", PolynomialDecay
    )


@pytest.mark.parametrize("test_case", [LinearDecayTest, SqrtDecayTest])
def test_keras_own_tests_make_our_class(test_case, monkeypatch):
    made, tests = count_of_tests_that_make(
        test_case, "PolynomialDecay", monkeypatch
    )
    assert made == tests >= 5


@pytest.mark.parametrize("cycle", [False, True])
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_equals_keras_at_every_step(cycle, power):
    arguments = (0.3, 10, 0.01, power, cycle)
    theirs = keras.optimizers.schedules.PolynomialDecay(*arguments)
    steps = range(45)
    np.testing.assert_allclose(
        rates(PolynomialDecay(*arguments), steps),
        # Compiled, Keras' own takes roots of numbers just below zero.
        [float(theirs(step)) for step in steps],
        rtol=1e-5,
    )


@pytest.mark.any_backend
def test_equals_torch_at_every_step_and_beyond_the_last():
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 30, power=2.0), 40
    )
    ours = rates(PolynomialDecay(1.0, 30, 0.0, power=2.0), range(40))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"initial_learning_rate": -1}, "initial_learning_rate"),
        ({"decay_steps": 0}, "decay_steps"),
        ({"end_learning_rate": -1}, "end_learning_rate"),
        ({"power": 0}, "power"),
        ({"cycle": "no"}, "cycle"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    good = {"initial_learning_rate": 1, "decay_steps": 3}
    with pytest.raises(ValueError, match=f"`{name}` of PolynomialDecay must"):
        PolynomialDecay(**{**good, **arguments})

import pytest
from against_keras import (
    assert_follows_keras,
    keras_tests_make_ours,
    last_everywhere,
)
from keras_versions import keras_test_module

from keras_regopt.optimizers.algorithms.ftrl import Ftrl

keras_tests = keras_test_module("keras.src.optimizers.ftrl_test")

# Run here as a whole: Keras' own tests, against our class.
FtrlTest = keras_tests.FtrlTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(keras_tests, "Ftrl", Ftrl)


def test_keras_own_tests_make_our_class(monkeypatch):
    assert keras_tests_make_ours(keras_tests, FtrlTest, "Ftrl", monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    last_everywhere(
        {},
        {"learning_rate_power": -0.7, "beta": 0.5},
        {"l1_regularization_strength": 0.5, "initial_accumulator_value": 0.3},
        {
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
            "weight_decay": 0.1,
        },
    ),
)
def test_makes_the_steps_of_keras(arguments):
    # Sums up to a thousand, which nearly cancel in places.
    assert_follows_keras(Ftrl, "graph", state_atol=3e-4, **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"learning_rate_power": 0.5},
        {"initial_accumulator_value": -1},
        {"l1_regularization_strength": -0.1},
        {"l2_regularization_strength": -0.1},
        {"l2_shrinkage_regularization_strength": -0.1},
        {"beta": -1},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}`.* (must|needs to) be"):
        Ftrl(**arguments)

import pytest
from against_keras import (
    assert_follows_keras,
    keras_tests_make_ours,
    last_everywhere,
)
from keras_versions import keras_test_module

from keras_regopt.optimizers.algorithms.rmsprop import RMSprop

keras_tests = keras_test_module("keras.src.optimizers.rmsprop_test")

# Run here as a whole: Keras' own tests, against our class.
RMSpropTest = keras_tests.RMSpropTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(keras_tests, "RMSprop", RMSprop)


def test_keras_own_tests_make_our_class(monkeypatch):
    assert keras_tests_make_ours(
        keras_tests, RMSpropTest, "RMSprop", monkeypatch
    )


@pytest.mark.parametrize(
    "arguments",
    last_everywhere(
        {},
        {"momentum": 0.9},
        {"centered": True},
        {"momentum": 0.9, "centered": True, "weight_decay": 0.1},
    ),
)
def test_makes_the_steps_of_keras(arguments):
    assert_follows_keras(RMSprop, "graph", **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"rho": 1.0},
        {"momentum": -0.1},
        {"epsilon": -1e-07},
        {"centered": "yes"},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}`.* must be"):
        RMSprop(**arguments)

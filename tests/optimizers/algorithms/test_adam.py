import pytest
from against_keras import (
    assert_follows_keras,
    keras_tests_make_ours,
    last_everywhere,
)
from keras_versions import keras_test_module

from keras_regopt.optimizers.algorithms.adam import Adam

keras_tests = keras_test_module("keras.src.optimizers.adam_test")

# Run here as a whole: Keras' own tests, against our class.
AdamTest = keras_tests.AdamTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(keras_tests, "Adam", Adam)


def test_keras_own_tests_make_our_class(monkeypatch):
    assert keras_tests_make_ours(keras_tests, AdamTest, "Adam", monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    last_everywhere(
        {},
        {"amsgrad": True},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.001},
        {"beta_1": 0.0, "weight_decay": 0.1},
    ),
)
def test_makes_the_steps_of_keras(arguments):
    assert_follows_keras(Adam, "graph", **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"epsilon": -1e-07},
        {"amsgrad": None},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}`.* must be"):
        Adam(**arguments)

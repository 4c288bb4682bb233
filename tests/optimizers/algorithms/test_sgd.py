import pytest
from against_keras import (
    assert_follows_keras,
    keras_tests_make_ours,
    last_everywhere,
)
from keras_versions import keras_test_module

from keras_regopt.optimizers.algorithms.sgd import SGD

keras_tests = keras_test_module("keras.src.optimizers.sgd_test")

# Run here as a whole: Keras' own tests, against our class.
SGDTest = keras_tests.SGDTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(keras_tests, "SGD", SGD)


def test_keras_own_tests_make_our_class(monkeypatch):
    assert keras_tests_make_ours(keras_tests, SGDTest, "SGD", monkeypatch)


@pytest.mark.parametrize(
    "arguments",
    last_everywhere(
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.5, "weight_decay": 0.1},
    ),
)
def test_makes_the_steps_of_keras(arguments):
    assert_follows_keras(SGD, "graph", **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"momentum": 1.5},
        {"momentum": "much"},
        {"nesterov": 1},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}`.* must be"):
        SGD(**arguments)

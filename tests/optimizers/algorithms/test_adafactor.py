import pytest
from against_keras import (
    assert_follows_keras,
    keras_tests_make_ours,
    last_everywhere,
)
from keras_versions import keras_test_module

from keras_regopt.optimizers.algorithms.adafactor import Adafactor

keras_tests = keras_test_module("keras.src.optimizers.adafactor_test")

# Run here as a whole: Keras' own tests, against our class.
AdafactorTest = keras_tests.AdafactorTest


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr(keras_tests, "Adafactor", Adafactor)


def test_keras_own_tests_make_our_class(monkeypatch):
    assert keras_tests_make_ours(
        keras_tests, AdafactorTest, "Adafactor", monkeypatch
    )


@pytest.mark.parametrize(
    "arguments",
    last_everywhere(
        {},
        {"beta_2_decay": -0.5, "epsilon_1": 1e-8, "epsilon_2": 0.5},
        {"clip_threshold": 0.3, "weight_decay": 0.1, "relative_step": False},
    ),
)
def test_makes_the_steps_of_keras(arguments):
    assert_follows_keras(Adafactor, "graph", same_paths=False, **arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_2_decay": 0.5},
        {"epsilon_1": -1},
        {"epsilon_2": -1},
        {"clip_threshold": 0},
        {"relative_step": None},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}`.* must be"):
        Adafactor(**arguments)


def test_refuses_lazy_rows():
    with pytest.raises(ValueError, match="`lazy` of Adafactor must be False"):
        Adafactor(lazy=True)

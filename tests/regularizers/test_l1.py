import numpy as np
import pytest
from keras.src import regularizers as keras_regularizers
from keras_versions import keras_test_module

from keras_regopt.regularizers import L1
from keras_regopt.testing._backend import gradient

keras_tests = keras_test_module("keras.src.regularizers.regularizers_test")

KERNEL = np.random.default_rng(0).normal(size=(3, 3, 4, 5))


class TestOfKeras(keras_tests.RegularizersTest):
    """Keras' own tests, against our class."""


@pytest.fixture(autouse=True)
def ours_in_keras_tests(monkeypatch):
    monkeypatch.setattr("keras.src.regularizers.L1", L1)
    monkeypatch.setitem(keras_regularizers.ALL_OBJECTS_DICT, "l1", L1)


def test_keras_own_test_makes_our_class(monkeypatch):
    def broken(*arguments):
        raise NotImplementedError("ours was made")

    monkeypatch.setattr("keras.src.regularizers.L1", broken)
    with pytest.raises(NotImplementedError, match="ours was made"):
        keras_tests.RegularizersTest("test_l1").test_l1()


def test_has_the_value_and_the_slope_of_the_formula():
    penalty = L1(0.1)
    value = float(penalty(KERNEL.astype("float32")))
    assert value == pytest.approx(0.1 * np.abs(KERNEL).sum(), rel=1e-5)
    slope = gradient(penalty, KERNEL.astype("float32"))
    np.testing.assert_allclose(slope, 0.1 * np.sign(KERNEL), rtol=1e-5)


@pytest.mark.any_backend
def test_the_configuration_holds_the_number_that_came():
    assert L1(0.01).get_config() == {"l1": 0.01}


@pytest.mark.any_backend
@pytest.mark.parametrize("strength", [-1, float("nan"), "strong", None])
def test_refuses_bad_arguments(strength):
    with pytest.raises(ValueError, match="`l1` of L1 must be"):
        L1(strength)

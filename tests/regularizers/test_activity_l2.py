import keras
import numpy as np
import pytest

from keras_regopt.regularizers import ActivityL2
from keras_regopt.regularizers._activities import divisor
from keras_regopt.testing._backend import gradient, to_numpy


@pytest.mark.parametrize("shape", [(6, 5), (6, 4, 5), (6, 3, 4, 5)])
def test_adds_the_mean_over_examples_and_positions(shape):
    x = np.random.default_rng(0).normal(size=shape)
    layer = keras.layers.Activation(
        "linear", activity_regularizer=ActivityL2(0.1)
    )
    layer(x.astype("float32"))
    expected = 0.1 * np.square(x).sum(axis=-1).mean()
    assert float(to_numpy(layer.losses[0])) == pytest.approx(expected, rel=1e-5)


def test_has_the_slope_of_the_formula_before_keras_divides():
    x = np.random.default_rng(0).normal(size=(6, 4, 5))
    slope = gradient(ActivityL2(0.1), x.astype("float32"))
    expected = 0.1 * 2 * x / 4 * float(divisor(x.astype("float32"))) / 6
    np.testing.assert_allclose(slope, expected, rtol=1e-5)


def test_is_the_penalty_of_keras_on_plain_features():
    x = keras.ops.convert_to_tensor(np.ones((6, 5), "float32"))
    theirs = keras.regularizers.L2(0.1)(x)
    ours = float(ActivityL2(0.1)(x)) / float(divisor(x)) * 6
    assert ours == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.any_backend
def test_takes_sizes_that_are_unknown_when_the_model_is_made():
    layer = keras.layers.Activation(
        "linear", activity_regularizer=ActivityL2(0.1)
    )
    model = keras.Sequential([keras.Input((None, 2)), layer])
    model.compile(loss="mse")
    x = np.full((4, 3, 2), 2.0, "float32")
    loss = model.evaluate(x, x, verbose=0)
    assert loss == pytest.approx(0.1 * 2 * 2**2, rel=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [-1, float("inf"), "strong"])
def test_refuses_bad_arguments(rate):
    with pytest.raises(ValueError, match="`rate` of ActivityL2 must be"):
        ActivityL2(rate)

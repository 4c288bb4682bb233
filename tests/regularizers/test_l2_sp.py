import keras
import numpy as np
import pytest

from keras_regopt.regularizers import L2SP
from keras_regopt.testing._backend import gradient, to_numpy
from keras_regopt.testing._saving import through_file

START = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def model_at_start(regularizer):
    """A model whose pretrained weights came after it was made."""
    layer = keras.layers.Dense(
        3, use_bias=False, kernel_regularizer=regularizer
    )
    model = keras.Sequential([keras.Input((4,)), layer])
    layer.kernel.assign(START)
    model.compile(keras.optimizers.SGD(0.5), "mse")
    return model


def fit(model, epochs=1):
    x = np.zeros((1, 4), "float32")
    model.fit(x, np.zeros((1, 3)), epochs=epochs, verbose=0)
    return keras.ops.convert_to_numpy(model.layers[0].kernel)


def test_pulls_towards_the_weight_that_was_loaded():
    model = model_at_start(L2SP(0.1))
    np.testing.assert_allclose(fit(model), START)
    model.layers[0].kernel.assign(START + 1)
    assert float(to_numpy(model.losses[0])) == pytest.approx(
        0.1 / 2 * 12, rel=1e-5
    )
    # Each step leaves 1 - learning_rate * rate of the distance.
    np.testing.assert_allclose(fit(model, 3), START + 0.95**3, rtol=1e-5)


def test_has_the_slope_of_the_formula():
    penalty = L2SP(0.1)
    layer = keras.layers.Dense(3, kernel_regularizer=penalty)
    layer.build((None, 4))
    penalty.set_anchor(START)
    assert float(to_numpy(layer.losses[0])) > 0
    # With the anchor in place and no other weight to take it.
    slope = gradient(lambda x: penalty.penalty(x, START, START), START + 2)
    np.testing.assert_allclose(slope, np.full((4, 3), 0.2), rtol=1e-5)


def test_pulls_towards_a_given_anchor():
    penalty = L2SP(0.1)
    penalty.set_anchor(START - 1)
    model = model_at_start(penalty)
    np.testing.assert_allclose(fit(model, 3), START - 1 + 0.95**3, rtol=1e-5)


@pytest.mark.any_backend
def test_goes_on_with_its_anchor_after_a_reload():
    model = model_at_start(L2SP(0.1))
    fit(model)
    model.layers[0].kernel.assign(START + 1)
    loaded = through_file(model)
    np.testing.assert_allclose(fit(loaded, 3), START + 0.95**3, rtol=1e-5)


def test_is_of_no_use_on_activities():
    layer = keras.layers.Activation("linear", activity_regularizer=L2SP(0.1))
    with pytest.raises(ValueError, match="a penalty on weights"):
        layer(START)


@pytest.mark.any_backend
def test_an_anchor_of_another_shape_is_refused():
    penalty = L2SP(0.1)
    penalty.set_anchor(START.T)
    with pytest.raises(ValueError, match=r"shape \(3, 4\), .*shape \(4, 3\)"):
        model_at_start(penalty).losses  # noqa: B018


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [-1, float("nan"), "strong"])
def test_refuses_bad_arguments(rate):
    with pytest.raises(ValueError, match="`rate` of L2SP must be"):
        L2SP(rate)

import keras
import numpy as np
import pytest

from keras_regopt.regularizers import SpectralNorm
from keras_regopt.testing._backend import gradient, to_numpy


@pytest.mark.any_case
@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (3, 3, 2, 5), (6,)])
def test_has_the_value_and_the_slope_of_the_formula(shape):
    # With singular values that are apart, so that the iteration is fast.
    kernel = np.random.default_rng(0).normal(size=shape)
    u, s, vt = np.linalg.svd(kernel.reshape(-1, shape[-1]), full_matrices=False)
    s = 2.0 ** -np.arange(len(s))
    kernel = ((u * s) @ vt).reshape(shape)
    penalty = SpectralNorm(0.1)
    value = float(penalty(kernel.astype("float32")))
    assert value == pytest.approx(0.1 / 2, rel=1e-4)
    slope = gradient(penalty, kernel.astype("float32"))
    expected = 0.1 * np.outer(u[:, 0], vt[0]).reshape(shape)
    np.testing.assert_allclose(slope, expected, atol=1e-5)


def test_makes_the_steps_of_the_paper():
    """Against a slow transcription of algorithm 1, in float64."""
    random = np.random.default_rng(0)
    kernel = random.normal(size=(5, 4))
    layer = keras.layers.Dense(
        4, use_bias=False, kernel_regularizer=SpectralNorm(0.1)
    )
    model = keras.Sequential([keras.Input((5,)), layer])
    layer.kernel.assign(kernel)
    # No data term: the output does not depend on the weights.
    model.compile(keras.optimizers.SGD(0.5), "mse")
    x = np.zeros((1, 5), "float32")
    model.evaluate(x, np.zeros((1, 4)), verbose=0)
    state = layer.kernel_regularizer.state
    # The paper's `v`; it starts from noise.
    v = random.normal(size=4)
    v /= np.linalg.norm(v)
    state.assign(v)
    for _ in range(5):
        model.fit(x, np.zeros((1, 4)), verbose=0)
        u = kernel @ v
        u /= np.linalg.norm(u)
        v = kernel.T @ u
        sigma = np.linalg.norm(v)
        v /= sigma
        image = kernel @ v
        kernel = kernel - 0.5 * 0.1 * np.outer(image, v)
        ours = keras.ops.convert_to_numpy(layer.kernel)
        np.testing.assert_allclose(ours, kernel, rtol=1e-4, atol=1e-5)
        kept = keras.ops.convert_to_numpy(state)
        np.testing.assert_allclose(kept, v, rtol=1e-4, atol=1e-5)


def test_a_weight_that_was_zero_does_not_stay_without_a_vector():
    layer = keras.layers.Dense(3, kernel_regularizer=SpectralNorm(0.1))
    layer.build((None, 2))
    layer.kernel.assign(np.zeros((2, 3)))
    assert float(to_numpy(layer.losses[0])) == 0
    layer.kernel.assign(np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert float(to_numpy(layer.losses[0])) == pytest.approx(
        0.1 / 2 * 9, rel=1e-5
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"rate": -1}, "rate"), ({"power_iterations": 0}, "power_iterations")],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of SpectralNorm must be"):
        SpectralNorm(**arguments)

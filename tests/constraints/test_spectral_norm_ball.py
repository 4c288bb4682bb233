import keras
import numpy as np
import pytest

from keras_regopt.constraints import SpectralNormBall


def clipped(w, radius):
    """The nearest matrix of the ball, by a singular value decomposition."""
    matrix = w.astype("float64").reshape(-1, w.shape[-1])
    u, values, v = np.linalg.svd(matrix, full_matrices=False)
    return ((u * np.minimum(values, radius)) @ v).reshape(w.shape)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5), (5, 5)])
def test_clips_the_singular_values(shape):
    w = np.random.default_rng(0).normal(size=shape).astype("float32")
    result = keras.ops.convert_to_numpy(SpectralNormBall(1.5)(w))
    np.testing.assert_allclose(result, clipped(w, 1.5), atol=2e-5)


def test_leaves_what_is_within_as_it_is():
    w = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    np.testing.assert_array_equal(SpectralNormBall(50.0)(w), w)


def test_takes_equal_and_zero_singular_values():
    w = np.diag([3.0, 3.0, 0.0, 0.0]).astype("float32")
    expected = np.diag([1.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(SpectralNormBall()(w), expected, atol=1e-6)


def test_scales_a_vector_down_to_its_length():
    result = SpectralNormBall(1.0)(np.array([3.0, 4.0], "float32"))
    np.testing.assert_allclose(result, [0.6, 0.8], rtol=1e-6)


def test_bounds_how_far_outputs_move_in_training():
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 8)).astype("float32")
    layer = keras.layers.Dense(4, kernel_constraint=SpectralNormBall(0.7))
    model = keras.Sequential([keras.Input((8,)), layer])
    model.compile("sgd", "mse")
    model.fit(x, 10 * x[:, :4], epochs=3, verbose=0)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    norm = np.linalg.norm(kernel, 2)
    assert norm == pytest.approx(0.7, rel=1e-5)


@pytest.mark.any_backend
def test_refuses_a_radius_of_zero():
    with pytest.raises(ValueError, match="`radius` of SpectralNormBall must"):
        SpectralNormBall(0)

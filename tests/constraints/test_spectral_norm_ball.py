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


def spectra(size):
    """Singular values that are hard to tell apart at their upper end."""
    x = np.arange(size) / size
    yield np.ones(size)
    yield 1 - x
    yield 1 - x ** (2 / 3)
    yield np.minimum(1, 1.5 - x)
    yield np.r_[1.02, 1.01, 1.005, 1 - x[3:]]
    yield np.r_[1.3, np.ones(size - 1)]
    yield np.r_[2.0, np.zeros(size - 1)]


def with_singular_values(values, shape, random):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    left = np.linalg.qr(random.normal(size=(rows, len(values))))[0]
    right = np.linalg.qr(random.normal(size=(columns, len(values))))[0]
    return ((left * values) @ right.T).reshape(shape)


def norm_of(w):
    w = keras.ops.convert_to_numpy(w).astype("float64")
    return np.linalg.norm(w.reshape(-1, w.shape[-1]), 2)


@pytest.mark.any_case
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(
    "shape", [(128, 128), (300, 65), (65, 300), (3, 3, 20, 96)]
)
def test_scales_a_large_matrix_to_a_norm_just_below_the_radius(shape, dtype):
    random = np.random.default_rng(0)
    smaller = min(int(np.prod(shape[:-1])), shape[-1])
    for values in spectra(smaller):
        for factor in (0.8, 3.0):
            w = with_singular_values(factor * values, shape, random)
            w = w.astype(dtype)
            result = keras.ops.convert_to_numpy(SpectralNormBall(0.7)(w))
            assert result.dtype == dtype
            assert 0.92 * 0.7 < norm_of(result) < 1.01 * 0.7
            scale = result.ravel() @ w.ravel() / (w.ravel() @ w.ravel())
            atol = 1e-6 if dtype == "float32" else 1e-3
            np.testing.assert_allclose(result, scale * w, atol=atol)


@pytest.mark.parametrize("size", [65, 256, 1024])
def test_bounds_the_norm_of_large_random_matrices(size):
    random = np.random.default_rng(0)
    for _ in range(3):
        w = random.normal(size=(size, size)).astype("float32")
        assert 0.92 < norm_of(SpectralNormBall()(w)) < 1.01


def test_leaves_a_large_matrix_within_as_it_is():
    w = np.random.default_rng(0).normal(size=(80, 90)).astype("float32")
    radius = 1.1 * norm_of(w)
    np.testing.assert_array_equal(SpectralNormBall(radius)(w), w)
    np.testing.assert_array_equal(SpectralNormBall()(0 * w), 0 * w)


def test_does_not_shrink_a_large_matrix_further_each_time():
    w = np.random.default_rng(0).normal(size=(80, 90)).astype("float32")
    once = SpectralNormBall()(w)
    twice = SpectralNormBall()(once)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(twice),
        keras.ops.convert_to_numpy(once),
        rtol=1e-5,
    )


def test_bounds_wide_layers_in_training():
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 96)).astype("float32")
    layer = keras.layers.Dense(80, kernel_constraint=SpectralNormBall(0.7))
    model = keras.Sequential([keras.Input((96,)), layer])
    model.compile(keras.optimizers.SGD(0.3), "mse")
    model.fit(x, 10 * x[:, :80], epochs=10, verbose=0)
    assert 0.92 * 0.7 < norm_of(layer.kernel) < 1.01 * 0.7


@pytest.mark.any_backend
def test_refuses_a_radius_of_zero():
    with pytest.raises(ValueError, match="`radius` of SpectralNormBall must"):
        SpectralNormBall(0)

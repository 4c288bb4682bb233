import keras
import numpy as np
import pytest

from keras_regopt.regularizers import SRIP
from keras_regopt.testing._backend import gradient


def kernel_of(shape, *singular_values):
    matrix = np.random.default_rng(0).normal(
        size=(int(np.prod(shape[:-1])), shape[-1])
    )
    u, _, vt = np.linalg.svd(matrix, full_matrices=False)
    kernel = (u * np.array(singular_values)) @ vt
    return kernel.reshape(shape), u, vt


@pytest.mark.any_case
@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (2, 2, 2, 3)])
@pytest.mark.parametrize("strongest", [2.0, 0.1])
def test_has_the_value_and_the_slope_of_the_formula(shape, strongest):
    # |2 ** 2 - 1| = 3 is the largest, or |0.1 ** 2 - 1| = 0.99.
    kernel, u, vt = kernel_of(shape, strongest, 1.1, 0.9)
    penalty = SRIP(0.1)
    excess = strongest**2 - 1
    value = float(penalty(kernel.astype("float32")))
    assert value == pytest.approx(0.1 * abs(excess), rel=1e-4)
    slope = gradient(penalty, kernel.astype("float32"))
    outer = np.outer(u[:, 0], vt[0]).reshape(shape)
    expected = 0.1 * np.sign(excess) * 2 * strongest * outer
    np.testing.assert_allclose(slope, expected, atol=1e-4)


@pytest.mark.any_backend
def test_two_eigenvalues_of_one_size_and_opposite_signs_do_no_harm():
    kernel, _, _ = kernel_of((8, 3), np.sqrt(1.5), np.sqrt(0.5), 1.0)
    value = float(SRIP(1.0)(kernel.astype("float32")))
    assert value == pytest.approx(0.5, rel=1e-4)


@pytest.mark.any_backend
def test_the_slope_is_finite_where_the_columns_are_orthonormal():
    kernel, _, _ = kernel_of((8, 3), 1.0, 1.0, 1.0)
    assert np.all(np.isfinite(gradient(SRIP(0.1), np.eye(3, dtype="float32"))))
    assert np.all(np.isfinite(gradient(SRIP(0.1), kernel.astype("float32"))))


@pytest.mark.any_backend
def test_training_makes_the_columns_orthonormal():
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(4, kernel_regularizer=SRIP(1.0))
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile(keras.optimizers.SGD(0.02), "mse")
    x = np.zeros((64, 6), "float32")
    model.fit(x, np.zeros((64, 4)), batch_size=1, epochs=5, verbose=0)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    singular = np.linalg.svd(kernel)[1]
    np.testing.assert_allclose(singular, 1.0, atol=0.1)


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [-1, float("nan"), "strong"])
def test_refuses_bad_arguments(rate):
    with pytest.raises(ValueError, match="`rate` of SRIP must be"):
        SRIP(rate)

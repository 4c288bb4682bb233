import keras
import numpy as np
import pytest
import sklearn.linear_model
from sparse_regression import fitted, regression

from keras_regopt.constraints import SoftThreshold


def test_equals_the_formula():
    w = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    expected = np.sign(w) * np.maximum(np.abs(w) - 0.3, 0)
    np.testing.assert_allclose(SoftThreshold(0.3)(w), expected, rtol=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_finds_the_weights_and_the_zeros_of_scikit_learns_lasso(momentum):
    strength, rate = 0.2, 0.1
    kernel, _ = fitted(
        keras.optimizers.SGD(rate, momentum),
        400,
        kernel_constraint=SoftThreshold(rate * strength / (1 - momentum)),
    )
    # Keras' loss is the mean of the squares, scikit-learn's half of it.
    lasso = sklearn.linear_model.Lasso(strength / 2, tol=1e-12)
    x, y = (a.astype("float64") for a in regression())
    solution = lasso.fit(x, y).coef_
    assert 0 < np.count_nonzero(solution) < len(solution)
    np.testing.assert_array_equal(kernel[:, 0] == 0, solution == 0)
    np.testing.assert_allclose(kernel[:, 0], solution, atol=1e-5)


@pytest.mark.any_backend
def test_gives_true_zeros_under_adam_where_a_penalty_gives_none():
    def zeros(**options):
        optimizer = keras.optimizers.Adam(0.02)
        return np.count_nonzero(fitted(optimizer, 400, **options)[0] == 0)

    assert zeros(kernel_regularizer=keras.regularizers.L1(0.2)) == 0
    assert zeros(kernel_constraint=SoftThreshold(0.002)) > 4


@pytest.mark.any_backend
def test_refuses_a_negative_threshold():
    with pytest.raises(ValueError, match="`threshold` of SoftThreshold must"):
        SoftThreshold(-0.1)

"""The model of the Bayesian oracle, and the expected improvement."""

import numpy as np
import pytest
from scipy import integrate
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor, kernels

from keras_regopt.tuning._acquisition import (
    log_expected_improvement,
    normalized,
)
from keras_regopt.tuning._gaussian_process import GaussianProcess

pytestmark = pytest.mark.any_backend


def observations(count=15, size=3):
    generator = np.random.default_rng(0)
    x = generator.random((count, size))
    y = np.sin(4 * x[:, 0]) + x[:, 1] ** 2
    return x, (y - y.mean()) / y.std()


def test_predictions_are_those_of_scikit_learn():
    x, y = observations()
    parameters = np.log([0.3, 0.7, 2.0, 1.5, 1e-3])
    process = GaussianProcess(x, y, np.arange(3), parameters, fit=False)
    kernel = 1.5 * kernels.Matern([0.3, 0.7, 2.0], nu=2.5)
    reference = GaussianProcessRegressor(kernel, alpha=1e-3, optimizer=None)
    reference.fit(x, y)
    new = np.random.default_rng(1).random((20, 3))
    for ours, theirs in zip(
        process.predict(new), reference.predict(new, True), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        process.smoothed(), process.predict(x)[0], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("coordinates", [[0, 1, 2], [0, 4, 4]])
def test_the_gradient_is_that_of_finite_differences(coordinates):
    x, y = observations()
    process = GaussianProcess(x, y, np.array(coordinates))
    size = len(set(coordinates)) + 2
    for seed in range(3):
        point = 0.5 * np.random.default_rng(seed).normal(size=size)
        differences = approx_fprime(point, lambda p: process._loss(p)[0], 1e-7)
        np.testing.assert_allclose(
            process._loss(point)[1], differences, rtol=1e-4, atol=1e-4
        )


def test_a_fit_finds_what_matters():
    x, y = observations(40)
    process = GaussianProcess(x, y, np.arange(3))
    scales = np.exp(process.parameters[:3])
    # The third coordinate says nothing.
    assert scales[2] > 3 * scales[:2].max()
    new = np.random.default_rng(1).random((50, 3))
    truth = np.sin(4 * new[:, 0]) + new[:, 1] ** 2
    error = np.corrcoef(process.predict(new)[0], truth)[0, 1]
    assert error > 0.999


def test_the_expected_improvement_is_that_of_its_integral():
    for mean, deviation, best in ((0.0, 1.0, 0.5), (2.0, 0.5, 0.0)):

        def improvement(y, mean=mean, deviation=deviation, best=best):
            z = (y - mean) / deviation
            density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) / deviation
            return (best - y) * density

        low = mean - 12 * deviation
        expected = integrate.quad(improvement, low, best, epsabs=0)[0]
        found = log_expected_improvement(
            np.array(mean), np.array(deviation), best
        )
        assert found == pytest.approx(np.log(expected), rel=1e-6)


def test_the_expected_improvement_falls_on_where_floats_end():
    means = np.concatenate([np.linspace(-3, 60, 200), [1e3, 1e5, 1e8]])
    found = log_expected_improvement(means, np.ones_like(means), 0.0)
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()


def test_observations_become_even_and_keep_their_order():
    generator = np.random.default_rng(0)
    y = np.concatenate([generator.lognormal(size=30), [1e30]])
    even = normalized(y)
    assert even.mean() == pytest.approx(0, abs=1e-9)
    assert even.std() == pytest.approx(1)
    assert (np.diff(even[np.argsort(y)]) >= 0).all()
    # The one that is far off does not press the others together.
    assert np.std(even[:30]) > 0.7
    assert normalized(np.full(5, 2.0)).tolist() == [0.0] * 5

import keras
import numpy as np
import pytest
from small_net import (
    WEIGHTS,
    X,
    compiled,
    cross_entropy,
    forward,
    jacobian,
    network,
    require_step,
    step,
)

from keras_regopt.regularizers import JacobianPenalty

FROM_LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def trained(x=X, **arguments):
    model = JacobianPenalty(network(activation=None), **arguments)
    y = np.zeros(len(x), int)
    return model, step(compiled(model, loss=FROM_LOGITS), x, y, len(x))


def half_squared_norms(weights, x=X):
    return np.sum(jacobian(weights, x) ** 2, axis=(1, 2)) / 2


def test_the_exact_norm_and_its_gradient_are_those_of_the_closed_form():
    model, logs = trained(rate=0.5, projections=None)
    penalty = 0.5 * half_squared_norms(WEIGHTS).mean()
    np.testing.assert_allclose(logs["penalty"], penalty, rtol=1e-5)

    def objective(weights):
        loss = cross_entropy(forward(weights, X)[1], np.zeros(8, int))
        return np.mean(loss + 0.5 * half_squared_norms(weights))

    np.testing.assert_allclose(logs["loss"], objective(WEIGHTS), rtol=1e-5)
    require_step(model, objective)


@pytest.mark.any_backend
@pytest.mark.parametrize("projections", [1, 4])
def test_random_directions_estimate_the_norm_without_bias(projections):
    examples = 4000
    x = np.tile(X[:1], (examples, 1))
    _, logs = trained(x, rate=1.0, projections=projections, seed=0)
    exact = half_squared_norms(WEIGHTS, X[:1])[0]
    # One estimate lies between three times the smallest and three times the
    # largest eigenvalue, halved.
    values = np.linalg.svd(jacobian(WEIGHTS, X[:1])[0])[1] ** 2
    spread = 3 * (values[0] - values[-1]) / 4
    error = abs(logs["penalty"] - exact)
    assert error < 5 * spread / np.sqrt(examples * projections)
    assert error < 0.1 * exact
    assert error > 0


@pytest.mark.any_backend
def test_one_direction_is_exact_for_one_output():
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    kernel = keras.ops.convert_to_numpy(inner.weights[0])
    model = JacobianPenalty(inner, rate=2.0)
    logs = step(compiled(model, loss="mse", metrics=[]))
    np.testing.assert_allclose(logs["penalty"], np.sum(kernel**2), rtol=1e-5)


@pytest.mark.any_backend
def test_directions_are_repeated_by_their_seed_and_new_in_each_step():
    runs = []
    for seed in (3, 3, 4):
        model = JacobianPenalty(network(), seed=seed)
        model = compiled(model, learning_rate=0.0)
        runs.append([step(model)["penalty"] for _ in range(3)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert len(set(runs[0])) == 3

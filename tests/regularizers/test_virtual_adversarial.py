import keras
import numpy as np
import pytest
from small_net import (
    WEIGHTS,
    X,
    Y,
    compiled,
    cross_entropy,
    divergence,
    log_softmax,
    network,
    require_step,
    step,
)

from keras_regopt._elementwise import normals
from keras_regopt.regularizers import VirtualAdversarial

LINEAR = [WEIGHTS[0][:, :3].copy(), WEIGHTS[1][:3].copy()]


def linear_model(activation="softmax"):
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(3, activation)]
    )
    model.set_weights(LINEAR)
    return model


def log_probabilities(weights, x):
    return log_softmax(x @ weights[0] + weights[1])


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def worst_changes(epsilon, xi, power_iterations, seed):
    """The power iteration of the paper, for a linear model with softmax."""
    # Of the seed and step 0.
    key = keras.ops.convert_to_tensor([seed, 0], "int32")
    draws = normals(key, X.shape)
    d = unit(keras.ops.convert_to_numpy(draws).astype("float64"))
    p = np.exp(log_probabilities(LINEAR, X))
    for _ in range(power_iterations):
        q = np.exp(log_probabilities(LINEAR, X + xi * d))
        d = unit((q - p) @ LINEAR[0].T)
    return epsilon * d


@pytest.mark.parametrize("power_iterations", [1, 3])
@pytest.mark.parametrize("from_logits", [False, True])
def test_follows_the_paper_on_a_linear_model(power_iterations, from_logits):
    settings = {
        "epsilon": 0.7,
        "xi": 0.05,
        "power_iterations": power_iterations,
        "seed": 5,
    }
    model = VirtualAdversarial(
        linear_model(None if from_logits else "softmax"),
        rate=2.0,
        from_logits=from_logits,
        **settings,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits)
    logs = step(compiled(model, loss=loss))
    log_p, r = log_probabilities(LINEAR, X), worst_changes(**settings)

    def objective(weights):
        gap = divergence(log_p, log_probabilities(weights, X + r))
        return np.mean(cross_entropy(X @ weights[0] + weights[1]) + 2 * gap)

    penalty = 2 * divergence(log_p, log_probabilities(LINEAR, X + r)).mean()
    np.testing.assert_allclose(logs["penalty"], penalty, rtol=1e-4)
    np.testing.assert_allclose(logs["loss"], objective(LINEAR), rtol=1e-4)
    require_step(model, objective, LINEAR)


@pytest.mark.any_backend
def test_examples_without_a_label_count_as_well():
    settings = {"epsilon": 0.7, "xi": 0.05, "power_iterations": 1, "seed": 5}
    model = compiled(VirtualAdversarial(linear_model(), **settings))
    logs = step(model, X, np.zeros_like(Y), sample_weight=np.zeros(8))
    r = worst_changes(**settings)
    gaps = divergence(
        log_probabilities(LINEAR, X), log_probabilities(LINEAR, X + r)
    )
    np.testing.assert_allclose(logs["penalty"], gaps.mean(), rtol=1e-4)
    np.testing.assert_allclose(logs["loss"], logs["penalty"], rtol=1e-6)


@pytest.mark.any_backend
def test_two_classes_may_share_one_output():
    w, b = LINEAR
    probability = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(1, "sigmoid")]
    )
    probability.set_weights([w[:, 1:2] - w[:, :1], b[1:2] - b[:1]])
    both = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(2, "softmax")]
    )
    both.set_weights([w[:, :2], b[:2]])
    y = Y % 2
    logs = [
        step(compiled(VirtualAdversarial(model, seed=0), loss=loss), X, y)
        for model, loss in (
            (probability, "binary_crossentropy"),
            (both, "sparse_categorical_crossentropy"),
        )
    ]
    np.testing.assert_allclose(logs[0]["loss"], logs[1]["loss"], rtol=1e-5)


def test_dropout_drops_the_same_in_all_passes():
    # So that what is left of the divergence comes from the change alone.
    model = VirtualAdversarial(
        network(keras.layers.Dropout(0.5, seed=0)), epsilon=1e-3
    )
    assert step(compiled(model))["penalty"] < 1e-4

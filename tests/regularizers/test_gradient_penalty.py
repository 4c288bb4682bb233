import keras
import numpy as np
import pytest
from small_net import (
    WEIGHTS,
    X,
    Y,
    compiled,
    cross_entropy,
    forward,
    jacobian,
    log_softmax,
    network,
    require_step,
    step,
)

from keras_regopt.regularizers import GradientPenalty


def half_squared_slopes(weights):
    errors = np.exp(log_softmax(forward(weights, X)[1])) - np.eye(3)[Y]
    slopes = np.einsum("nc,nci->ni", errors, jacobian(weights, X))
    return np.sum(slopes**2, axis=1) / 2


def test_penalty_and_gradient_are_those_of_the_closed_form():
    model = compiled(GradientPenalty(network(), rate=0.5))
    logs = step(model)

    def objective(weights):
        loss = cross_entropy(forward(weights, X)[1])
        return np.mean(loss + 0.5 * half_squared_slopes(weights))

    penalty = 0.5 * np.mean(half_squared_slopes(WEIGHTS))
    np.testing.assert_allclose(logs["penalty"], penalty, rtol=1e-5)
    np.testing.assert_allclose(logs["loss"], objective(WEIGHTS), rtol=1e-5)
    require_step(model, objective)


def test_an_example_counts_by_its_weight():
    model = compiled(GradientPenalty(network(), rate=1.0))
    weights = np.array([0, 0, 1, 1, 1, 2, 2, 3])
    logs = step(model, sample_weight=weights)
    penalty = np.mean(weights**2 * half_squared_slopes(WEIGHTS))
    np.testing.assert_allclose(logs["penalty"], penalty, rtol=1e-5)


def test_a_sum_over_the_batch_has_the_same_slopes_for_each_example():
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    model = compiled(GradientPenalty(network(), rate=1.0), loss=loss)
    penalty = np.mean(half_squared_slopes(WEIGHTS))
    np.testing.assert_allclose(step(model)["penalty"], penalty, rtol=1e-5)


def test_several_outputs_count_by_their_loss_weights():
    inner = network()
    inner = keras.Model(inner.inputs[0], inner.outputs * 2)
    model = GradientPenalty(inner, rate=1.0)
    loss = ["sparse_categorical_crossentropy"] * 2
    compiled(model, loss=loss, loss_weights=[1.0, 2.0], metrics=None)
    logs = step(model, X, [Y, Y])
    penalty = np.mean(3**2 * half_squared_slopes(WEIGHTS))
    np.testing.assert_allclose(logs["penalty"], penalty, rtol=1e-5)


@pytest.mark.any_backend
def test_another_reduction_of_the_loss_is_refused():
    losses = [
        keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
        for reduction in ("sum", "sum_over_batch_size")
    ]
    inner = network()
    inner = keras.Model(inner.inputs[0], inner.outputs * 2)
    model = compiled(GradientPenalty(inner), loss=losses, metrics=None)
    with pytest.raises(ValueError, match="`loss` of GradientPenalty must be"):
        step(model, X, [Y, Y])

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
    log_softmax,
    network,
    require_step,
    step,
)

from keras_regopt.regularizers import MinDiff

GROUP = np.array([1, 0, 0, -1, 1, 0, 1, -1])


def discrepancy(predictions, kernel):
    """The squared maximum mean discrepancy, pair by pair."""

    def mean(left, right):
        return np.mean([[kernel(a, b) for b in right] for a in left])

    ours, theirs = predictions[GROUP == 1], predictions[GROUP == 0]
    return mean(ours, ours) - 2 * mean(ours, theirs) + mean(theirs, theirs)


def gaussian(predictions, length):
    def kernel(a, b):
        return np.exp(-np.sum((a - b) ** 2) / length**2)

    return discrepancy(predictions, kernel)


def laplacian(predictions, length):
    def kernel(a, b):
        return np.exp(-np.linalg.norm(a - b) / length)

    return discrepancy(predictions, kernel)


def correlation(predictions, length):
    chosen = GROUP >= 0
    return np.mean(
        [
            abs(np.corrcoef(GROUP[chosen], p[chosen])[0, 1])
            for p in predictions.T
        ]
    )


def penalty(weights, measure):
    predictions = np.exp(log_softmax(forward(weights, X)[1]))
    return 2 * measure(predictions, 0.5)


@pytest.mark.any_case
@pytest.mark.parametrize("measure", [gaussian, laplacian, correlation])
@pytest.mark.parametrize("from_logits", [False, True])
def test_penalty_and_gradient_are_those_of_the_definition(measure, from_logits):
    model = MinDiff(
        network(activation=None if from_logits else "softmax"),
        rate=2.0,
        kernel=measure.__name__,
        length=0.5,
        from_logits=from_logits,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits)
    logs = step(compiled(model, loss=loss), {"inputs": X, "group": GROUP})

    def objective(weights):
        loss = cross_entropy(forward(weights, X)[1]).mean()
        return loss + penalty(weights, measure)

    expected = penalty(WEIGHTS, measure)
    np.testing.assert_allclose(logs["penalty"], expected, rtol=1e-4)
    np.testing.assert_allclose(logs["loss"], objective(WEIGHTS), rtol=1e-5)
    require_step(model, objective)


@pytest.mark.any_backend
@pytest.mark.parametrize("kernel", ["gaussian", "laplacian", "correlation"])
@pytest.mark.parametrize("group", [1, 0, -1])
def test_a_batch_without_one_of_the_groups_has_no_gap(kernel, group):
    model = compiled(MinDiff(network(), kernel=kernel))
    group = np.full((8, 1), group)
    plain = compiled(network())
    logs, expected = step(model, {"inputs": X, "group": group}), step(plain)
    assert logs["penalty"] == 0
    np.testing.assert_allclose(logs["loss"], expected["loss"], rtol=1e-6)
    for weight, other in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(weight),
            keras.ops.convert_to_numpy(other),
            rtol=1e-5,
        )


@pytest.mark.any_backend
def test_one_output_from_logits_goes_through_the_sigmoid():
    penalties = []
    for activation in ("sigmoid", None):
        inner = keras.Sequential(
            [keras.Input((5,)), keras.layers.Dense(1, activation)]
        )
        inner.set_weights([WEIGHTS[0][:, :1], WEIGHTS[1][:1]])
        model = MinDiff(inner, from_logits=activation is None)
        compiled(model, loss="mse", metrics=[])
        penalties.append(step(model, {"inputs": X, "group": GROUP})["penalty"])
    np.testing.assert_allclose(*penalties, rtol=1e-5)


@pytest.mark.any_backend
def test_the_group_is_asked_for_in_training_alone():
    with pytest.raises(ValueError, match=r'"inputs": \.\.\.'):
        step(compiled(MinDiff(network())))
    model = compiled(MinDiff(network()))
    inputs = {"inputs": X, "group": GROUP}
    np.testing.assert_allclose(
        model.predict(inputs, verbose=0), model.predict(X, verbose=0)
    )
    assert model.evaluate(inputs, Y, verbose=0) == model.evaluate(
        X, Y, verbose=0
    )

import keras
import numpy as np
import pytest
from against_keras import last_everywhere
from optax import contrib
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    gradients,
    optax_run,
    quick_step,
    run,
    values_of,
)

from keras_regopt.optimizers import DoG


def layerwise_run(steps, initial_distance, decay):
    """The authors' L-DoG, plainly."""
    starts = [np.float64(value) for value in gradients(1000)]
    weights = list(starts)
    sums = [1e-8] * len(weights)
    distances = [initial_distance * (1 + np.linalg.norm(w)) for w in weights]
    for step in range(steps):
        for i, gradient in enumerate(gradients(step)):
            gradient = gradient + decay * weights[i]
            distance = np.linalg.norm(weights[i] - starts[i])
            distances[i] = max(distances[i], distance)
            sums[i] += np.sum(gradient**2)
            weights[i] = weights[i] - distances[i] / sums[i] ** 0.5 * gradient
    return weights


@pytest.mark.parametrize("initial_distance", last_everywhere(1e-6, 0.1))
@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_optax_for_thirty_steps(initial_distance, weight_decay):
    ours = DoG(initial_distance=initial_distance, weight_decay=weight_decay)
    theirs = contrib.dog(
        init_step=("heuristic", initial_distance), weight_decay=weight_decay
    )
    assert_close(run(ours, 30), optax_run(theirs, 30))


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling(1.0)
    ours = DoG(ours, initial_distance=0.1, epsilon=0.1)
    theirs = contrib.dog(theirs, init_step=("heuristic", 0.1), eps=0.1)
    assert_close(run(ours, 20), optax_run(theirs, 20))


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_the_authors_layer_by_layer(weight_decay):
    ours = DoG(initial_distance=0.1, layerwise=True, weight_decay=weight_decay)
    assert_close(run(ours, 30), layerwise_run(30, 0.1, weight_decay))


@pytest.mark.any_backend
@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_finds_its_rate_at_any_scale(scale):
    target = np.array([1.0, -2.0, 0.5], "float32") * scale
    variable = keras.Variable(np.zeros(3))
    optimizer = DoG(initial_distance=1e-3)
    step = quick_step(optimizer, [variable])
    for _ in range(200):
        step([keras.ops.convert_to_tensor(values_of([variable])[0] - target)])
    np.testing.assert_allclose(variable.numpy(), target, atol=0.05 * scale)


@pytest.mark.parametrize("layerwise", [False, True])
def test_the_way_of_a_variable_begins_with_its_first_gradient(layerwise):
    variables = [keras.Variable([1.0]), keras.Variable([100.0])]
    optimizer = DoG(initial_distance=0.01, layerwise=layerwise)
    optimizer.build(variables)
    gradient = keras.ops.convert_to_tensor([1.0])
    for _ in range(3):
        optimizer.apply([gradient], variables[:1])
    for _ in range(3):
        optimizer.apply([gradient, gradient], variables)
    # Not the way from zero to 100.
    assert np.max(keras.ops.convert_to_numpy(optimizer.distances.value)) < 3


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: DoG(initial_distance=0.05), atol=0.1)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"initial_distance": 0.0},
        {"epsilon": 0.0},
        {"layerwise": 1},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of DoG must be"):
        DoG(**arguments)

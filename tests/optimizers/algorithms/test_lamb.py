import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    assert_close_in_half_precision,
    falling,
    optax_run,
    run,
)

from keras_regopt.optimizers import LAMB


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_optax_for_thirty_steps(weight_decay):
    ours = LAMB(0.01, weight_decay=weight_decay)
    theirs = optax.lamb(0.01, weight_decay=weight_decay)
    assert_close(run(ours, 30), optax_run(theirs, 30))


@pytest.mark.parametrize("dtype", last_everywhere("float32", "bfloat16"))
def test_follows_the_formula_on_a_large_tensor(dtype):
    random = np.random.default_rng(0)
    # Larger than what JAX takes at once, and no multiple of it.
    w = random.normal(size=(700, 500)).astype("float32")
    variable = keras.Variable(w, dtype=dtype)
    optimizer = LAMB(0.1, weight_decay=0.01)
    w = keras.ops.convert_to_numpy(variable).astype("float64")
    m = v = 0.0
    for t in range(1, 4):
        g = random.normal(size=w.shape).astype("float32")
        g = keras.ops.cast(g, dtype)
        optimizer.apply([g], [variable])
        g = keras.ops.convert_to_numpy(g).astype("float64")
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        u = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-6)
        u = u + 0.01 * w
        w = w - 0.1 * np.linalg.norm(w) / np.linalg.norm(u) * u
    found = keras.ops.convert_to_numpy(variable).astype("float64")
    # Half precision rounds the weights in each step.
    atol = 2e-5 if dtype == "float32" else 0.05
    np.testing.assert_allclose(found, w, atol=atol)


@pytest.mark.any_backend
def test_follows_optax_under_a_schedule():
    ours, theirs = falling(0.1)
    ours = LAMB(ours, beta_1=0.0, beta_2=0.9, epsilon=0.01, weight_decay=0.1)
    theirs = optax.lamb(theirs, b1=0.0, b2=0.9, eps=0.01, weight_decay=0.1)
    assert_close(run(ours, 20), optax_run(theirs, 20))


def test_makes_the_steps_of_keras_without_weight_decay():
    ours = run(LAMB(0.01), 20)
    theirs = run(keras.optimizers.Lamb(0.01, epsilon=1e-6), 20)
    for a, b in zip(ours, theirs, strict=True):
        # Keras' corrections lose digits in float32.
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("bounds", "length"),
    [({}, 5.0), ({"max_norm": 2.0}, 2.0), ({"min_norm": 7.0}, 7.0)],
)
def test_a_step_has_the_bounded_length_of_the_weights(bounds, length):
    variable = keras.Variable([3.0, 4.0])
    gradient = keras.ops.convert_to_tensor([0.1, -2.0])
    LAMB(0.01, **bounds).apply([gradient], [variable])
    step = variable.numpy() - np.array([3.0, 4.0])
    np.testing.assert_allclose(np.linalg.norm(step), 0.01 * length, rtol=1e-4)


def test_excluded_variables_make_the_steps_of_adam():
    moves = [[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]
    variables = [keras.Variable([3.0, 4.0], name="bias") for _ in range(2)]
    ours = LAMB(0.01, weight_decay=0.1, exclude="bias")
    theirs = keras.optimizers.Adam(0.01, epsilon=1e-6)
    for move in moves:
        for optimizer, variable in zip((ours, theirs), variables, strict=True):
            optimizer.apply([keras.ops.convert_to_tensor(move)], [variable])
    values = [v.numpy() for v in variables]
    np.testing.assert_allclose(*values, rtol=1e-5)


def test_large_weights_in_half_precision_have_a_norm():
    # The sum of their squares is beyond float16.
    variable = keras.Variable(np.full((4, 4), 100.0), dtype="float16")
    LAMB(0.01).apply([keras.ops.ones((4, 4), "float16")], [variable])
    values = keras.ops.convert_to_numpy(variable.value)
    np.testing.assert_allclose(values, 99.0, rtol=1e-3)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    assert_close_in_half_precision(lambda: LAMB(0.01, weight_decay=0.1))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": -0.1},
        {"beta_1": 1.0},
        {"beta_2": 0.0},
        {"epsilon": 0.0},
        {"min_norm": -1.0},
        {"max_norm": 0.0},
        {"exclude": "("},
    ],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` of LAMB must be"):
        LAMB(**arguments)

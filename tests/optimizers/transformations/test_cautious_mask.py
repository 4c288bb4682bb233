import keras
import numpy as np
import pytest
from against_keras import last_everywhere
from trajectories import (
    SHAPES,
    assert_close,
    falling,
    gradients,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers.transformations.cautious_mask import CautiousMask
from keras_regopt.optimizers.transformations.transformed import Transformed


def masked(update, gradient):
    """The mask of the authors' code, for an update that is added."""
    mask = (update * gradient < 0).astype("float64")
    return update * mask / np.maximum(mask.mean(), 1e-3)


def adam_reference(weight_decay):
    values = [v.astype("float64") for v in gradients(1000)]
    slots = [[np.zeros(s), np.zeros(s)] for s in SHAPES]
    for step in range(25):
        correction = np.sqrt(1 - 0.9 ** (step + 1)) / (1 - 0.8 ** (step + 1))
        for i, gradient in enumerate(gradients(step)):
            momentum, velocity = slots[i]
            momentum = 0.8 * momentum + 0.2 * gradient
            velocity = 0.9 * velocity + 0.1 * gradient.astype("float64") ** 2
            slots[i] = [momentum, velocity]
            update = -0.01 * correction * momentum / (np.sqrt(velocity) + 1e-7)
            update -= 0.01 * weight_decay * values[i]
            values[i] = values[i] + masked(update, gradient)
    return values


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_the_formula_around_adam(weight_decay):
    inner = keras.optimizers.AdamW(
        0.01, beta_1=0.8, beta_2=0.9, weight_decay=weight_decay
    )
    ours = run(Transformed(inner, [CautiousMask()]), 25)
    assert_close(ours, adam_reference(weight_decay))


def test_follows_the_formula_around_momentum_with_a_schedule():
    schedule, rate_at = falling()
    inner = keras.optimizers.SGD(schedule, momentum=0.9)
    ours = run(Transformed(inner, [CautiousMask()]), 25)
    theirs = [v.astype("float64") for v in gradients(1000)]
    momenta = [np.zeros(s) for s in SHAPES]
    for step in range(25):
        rate = float(rate_at(step))
        for i, gradient in enumerate(gradients(step)):
            momenta[i] = 0.9 * momenta[i] - rate * gradient
            theirs[i] = theirs[i] + masked(momenta[i], gradient)
    assert_close(ours, theirs)


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    half, single = (
        run(
            Transformed(keras.optimizers.Adam(0.01), [CautiousMask()]),
            variables=variables_at_start(dtype),
        )
        for dtype in ("bfloat16", "float32")
    )
    # Twenty steps, each of which rounds numbers of the order of 1 to 0.008.
    assert_close(half, single, atol=0.2)


def test_changes_nothing_where_a_step_follows_the_gradient():
    plain = run(keras.optimizers.SGD(0.1))
    ours = run(Transformed(keras.optimizers.SGD(0.1), [CautiousMask()]))
    assert_close(ours, plain)


def test_products_too_small_for_a_float_do_not_vanish():
    variable = keras.Variable([0.0])
    optimizer = Transformed(keras.optimizers.SGD(1e-10), [CautiousMask()])
    gradient = keras.ops.convert_to_tensor([1e-20])
    optimizer.apply([gradient], [variable])
    np.testing.assert_allclose(values_of([variable])[0], [-1e-30], rtol=1e-5)


def test_keeps_to_a_constraint():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    layer = keras.layers.Dense(2, kernel_constraint="unit_norm")
    model = keras.Sequential([keras.Input((4,)), layer])
    inner = keras.optimizers.SGD(0.5, momentum=0.9)
    model.compile(Transformed(inner, [CautiousMask()]), "mse")
    model.fit(x, x[:, :2], epochs=3, verbose=0)
    norms = np.linalg.norm(values_of([layer.kernel])[0], axis=0)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)

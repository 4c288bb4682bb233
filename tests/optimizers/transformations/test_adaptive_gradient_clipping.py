import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere
from trajectories import (
    assert_close,
    falling,
    optax_run,
    run,
    values_of,
    variables_at_start,
)

from keras_regopt.optimizers.transformations.adaptive_gradient_clipping import (
    AdaptiveGradientClipping,
)
from keras_regopt.optimizers.transformations.transformed import Transformed


@pytest.mark.parametrize("clip_factor", last_everywhere(0.9, 0.01))
@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_optax_for_twenty_steps_with_schedule_and_decay(
    clip_factor, weight_decay
):
    schedule, optax_schedule = falling()
    inner = keras.optimizers.SGD(schedule, weight_decay=weight_decay)
    theirs = optax.chain(
        optax.adaptive_grad_clip(clip_factor),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(optax_schedule),
    )
    assert_close(
        run(Transformed(inner, [AdaptiveGradientClipping(clip_factor)])),
        optax_run(theirs),
    )


def test_follows_optax_in_front_of_adam():
    inner = keras.optimizers.Adam(0.01, epsilon=1e-12)
    theirs = optax.chain(
        optax.adaptive_grad_clip(0.5), optax.adam(0.01, eps=1e-12)
    )
    assert_close(
        run(Transformed(inner, [AdaptiveGradientClipping(0.5)])),
        optax_run(theirs),
        rtol=1e-4,
    )


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    half, single = (
        run(
            Transformed(
                keras.optimizers.SGD(0.1), [AdaptiveGradientClipping(0.5)]
            ),
            variables=variables_at_start(dtype),
        )
        for dtype in ("bfloat16", "float32")
    )
    assert_close(half, single, atol=0.05)


def moved(clipping, value, gradient, name="kernel"):
    variable = keras.Variable(np.array(value, "float32"), name=name)
    before = values_of([variable])[0]
    optimizer = Transformed(keras.optimizers.SGD(1.0), [clipping])
    gradient = np.array(gradient, "float32")
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return before - values_of([variable])[0]


def test_the_unit_of_a_weight_of_three_axes_counts_its_last_axis():
    random = np.random.default_rng(0)
    value, gradient = random.normal(size=(2, 4, 3, 2)).astype("float32")
    reference = optax.adaptive_grad_clip(0.5, axis=(0, 1))
    expected, _ = reference.update(gradient, reference.init(value), value)
    change = moved(AdaptiveGradientClipping(0.5), value, gradient)
    np.testing.assert_allclose(change, expected, rtol=1e-5, atol=1e-6)


def test_the_unit_of_an_embedding_is_a_row():
    value = [[3.0, 4.0], [0.3, 0.4]]
    gradient = [[3.0, 4.0], [3.0, 4.0]]
    change = moved(AdaptiveGradientClipping(0.1), value, gradient, "embeddings")
    np.testing.assert_allclose(change, [[0.3, 0.4], [0.03, 0.04]], rtol=1e-5)


def test_weights_that_are_zero_move_by_epsilon():
    change = moved(AdaptiveGradientClipping(0.1, epsilon=0.5), [0.0], [7.0])
    np.testing.assert_allclose(change, [0.05], rtol=1e-5)


@pytest.mark.any_backend
def test_leaves_alone_what_it_is_told_to():
    clipping = AdaptiveGradientClipping(0.1, exclude="kernel|bias")
    np.testing.assert_allclose(moved(clipping, [1.0], [9.0]), [9.0])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments",
    [{"clip_factor": 0.0}, {"epsilon": 0.0}, {"exclude": "("}, {"exclude": 1}],
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    match = f"`{name}` of AdaptiveGradientClipping must be"
    with pytest.raises(ValueError, match=match):
        AdaptiveGradientClipping(**arguments)


def test_clips_doubles_in_double_precision():
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has float64 on request alone")
    weight = np.array([[0.3], [0.7]])
    gradient = np.array([[1.1], [2.3]])
    (clipped,) = AdaptiveGradientClipping(clip_factor=0.1).transform_gradients(
        [keras.ops.convert_to_tensor(gradient, "float64")],
        [keras.Variable(weight, dtype="float64")],
        0,
        None,
    )
    limit = 0.1 * np.linalg.norm(weight) / np.linalg.norm(gradient)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(clipped), limit * gradient, rtol=1e-12
    )

import keras
import numpy as np
import optax
import pytest
from trajectories import (
    assert_close,
    falling,
    gradients,
    optax_run,
    run,
    variables_at_start,
)

from keras_regopt.optimizers.transformations.gradient_normalization import (
    GradientNormalization,
)
from keras_regopt.optimizers.transformations.transformed import Transformed


def test_follows_optax_for_twenty_steps_with_schedule_and_decay():
    schedule, optax_schedule = falling()
    inner = keras.optimizers.SGD(schedule, weight_decay=0.1)
    theirs = optax.chain(
        optax.normalize_by_update_norm(),
        optax.add_decayed_weights(0.1),
        optax.scale_by_learning_rate(optax_schedule),
    )
    assert_close(
        run(Transformed(inner, [GradientNormalization()])), optax_run(theirs)
    )


def test_divides_each_gradient_by_its_own_norm_when_asked_to():
    normalization = GradientNormalization(per_variable=True, epsilon=0.5)
    ours = run(Transformed(keras.optimizers.SGD(0.1), [normalization]))
    expected = gradients(1000)
    for step in range(20):
        for value, gradient in zip(expected, gradients(step), strict=True):
            value -= 0.1 * gradient / (np.sqrt(np.sum(gradient**2)) + 0.5)
    assert_close(ours, expected)


@pytest.mark.any_backend
@pytest.mark.parametrize("per_variable", [True, False])
def test_stays_near_single_precision_with_bfloat16_variables(per_variable):
    half, single = (
        run(
            Transformed(
                keras.optimizers.SGD(0.1), [GradientNormalization(per_variable)]
            ),
            variables=variables_at_start(dtype),
        )
        for dtype in ("bfloat16", "float32")
    )
    assert_close(half, single, atol=0.1)


@pytest.mark.any_backend
@pytest.mark.parametrize("arguments", [{"per_variable": 1}, {"epsilon": 0.0}])
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    match = f"`{name}` of GradientNormalization must be"
    with pytest.raises(ValueError, match=match):
        GradientNormalization(**arguments)

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

from keras_regopt.optimizers.transformations.gradient_centralization import (
    GradientCentralization,
)
from keras_regopt.optimizers.transformations.transformed import Transformed


@pytest.mark.parametrize("weight_decay", last_everywhere(0.0, 0.1))
def test_follows_optax_for_twenty_steps_with_schedule_and_decay(weight_decay):
    schedule, optax_schedule = falling()
    inner = keras.optimizers.SGD(schedule, weight_decay=weight_decay)
    theirs = optax.chain(
        optax.centralize(),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(optax_schedule),
    )
    assert_close(
        run(Transformed(inner, [GradientCentralization()])),
        optax_run(theirs, outputs_first=True),
    )


def test_follows_optax_in_front_of_adam():
    inner = keras.optimizers.Adam(0.01, epsilon=1e-12)
    theirs = optax.chain(optax.centralize(), optax.adam(0.01, eps=1e-12))
    assert_close(
        run(Transformed(inner, [GradientCentralization()])),
        optax_run(theirs, outputs_first=True),
        rtol=1e-4,
    )


@pytest.mark.any_backend
def test_stays_near_single_precision_with_bfloat16_variables():
    half, single = (
        run(
            Transformed(keras.optimizers.SGD(0.1), [GradientCentralization()]),
            variables=variables_at_start(dtype),
        )
        for dtype in ("bfloat16", "float32")
    )
    assert_close(half, single, atol=0.05)


def moved(transformation, shape, gradient, name="kernel"):
    variable = keras.Variable(np.zeros(shape, "float32"), name=name)
    optimizer = Transformed(keras.optimizers.SGD(1.0), [transformation])
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return values_of([variable])[0]


def test_the_unit_of_an_embedding_is_a_row():
    gradient = np.zeros((4, 3), "float32")
    gradient[2] = [1, 2, 6]
    change = moved(GradientCentralization(), (4, 3), gradient, "embeddings")
    np.testing.assert_allclose(change[2], [2, 1, -3], rtol=1e-6)
    # Rows that do not appear in the batch stay where they are.
    assert not change[[0, 1, 3]].any()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments", [{"min_rank": 3}, {"exclude": "ker.*"}, {"exclude": "kernel"}]
)
def test_leaves_alone_what_it_is_told_to(arguments):
    gradient = np.array([[1.0, 2.0], [5.0, 6.0]], "float32")
    change = moved(GradientCentralization(**arguments), (2, 2), gradient)
    np.testing.assert_array_equal(change, -gradient)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "arguments", [{"min_rank": 1}, {"exclude": "("}, {"exclude": 3}]
)
def test_refuses_bad_arguments(arguments):
    (name,) = arguments
    match = f"`{name}` of GradientCentralization must be"
    with pytest.raises(ValueError, match=match):
        GradientCentralization(**arguments)

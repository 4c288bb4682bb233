import copy

import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest
from against_keras import last_everywhere

from keras_regopt.optimizers import Lookahead, RAdam
from keras_regopt.optimizers.wrappers.gradient_accumulation import (
    GradientAccumulation,
)

SHAPES = [(), (3,), (4, 5)]


def gradients(step):
    random = np.random.default_rng(step)
    return [random.normal(size=s).astype("float32") for s in SHAPES]


def variables_at_start():
    return [keras.Variable(value) for value in gradients(1000)]


def run(optimizer, steps, variables=None):
    variables = variables or variables_at_start()
    for step in range(steps):
        optimizer.apply(
            [keras.ops.convert_to_tensor(g) for g in gradients(step)],
            variables,
        )
    return [keras.ops.convert_to_numpy(v) for v in variables]


def optax_run(inner, steps, **options):
    optimizer = optax.lookahead(inner, **options)
    start = [jnp.array(v) for v in gradients(1000)]
    parameters = optax.LookaheadParams.init_synced(start)
    state = optimizer.init(parameters)
    for step in range(steps):
        updates, state = optimizer.update(gradients(step), state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    return [np.asarray(v) for v in parameters.fast]


@pytest.mark.parametrize("sync_period", last_everywhere(2, 6))
@pytest.mark.parametrize("slow_step_size", last_everywhere(1.0, 0.5))
def test_follows_optax_for_twenty_steps(sync_period, slow_step_size):
    ours = run(
        Lookahead(keras.optimizers.SGD(0.1), sync_period, slow_step_size), 20
    )
    theirs = optax_run(
        optax.sgd(0.1),
        20,
        sync_period=sync_period,
        slow_step_size=slow_step_size,
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_follows_optax_around_an_adaptive_optimizer():
    ours = run(Lookahead(keras.optimizers.Adam(0.01, epsilon=1e-8)), 21)
    theirs = optax_run(
        optax.adam(0.01, eps=0, eps_root=0),
        21,
        sync_period=6,
        slow_step_size=0.5,
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.any_backend
def test_counts_the_steps_of_an_accumulating_optimizer():
    accumulating = Lookahead(
        keras.optimizers.SGD(0.1, gradient_accumulation_steps=2), 3
    )
    variables = variables_at_start()
    for step in range(12):
        gradient = [
            keras.ops.convert_to_tensor(g) for g in gradients(step // 2)
        ]
        accumulating.apply(gradient, variables)
    plain = run(Lookahead(keras.optimizers.SGD(0.1), 3), 6)
    for a, b in zip(variables, plain, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(a), b, rtol=1e-5)


@pytest.mark.any_backend
def test_shows_the_learning_rate_of_the_inner_optimizer():
    optimizer = Lookahead(keras.optimizers.SGD(0.1))
    optimizer.learning_rate = 0.02
    assert float(optimizer.inner.learning_rate) == pytest.approx(0.02)
    assert float(optimizer.learning_rate) == pytest.approx(0.02)


@pytest.mark.any_backend
def test_a_deep_copy_goes_on_where_the_original_stands():
    optimizer = Lookahead(RAdam(0.1), 4)
    variables = variables_at_start()
    run(optimizer, 6, variables)
    copied = copy.deepcopy(optimizer)
    values = [keras.ops.copy(v) for v in variables]
    expected = run(optimizer, 5, variables)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    for a, b in zip(run(copied, 5, variables), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.any_backend
def test_wraps_a_wrapper_and_reloads_with_all_state(tmp_path):
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    y = x[:, :1]
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    inner = GradientAccumulation(RAdam(0.05, weight_decay=0.01), 2)
    model.compile(Lookahead(inner, 3), "mse")
    model.fit(x, y, epochs=5, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(
        reloaded.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    again = {"epochs": 5, "shuffle": False, "verbose": 0}
    expected = model.fit(x, y, **again).history["loss"]
    assert reloaded.fit(x, y, **again).history["loss"] == expected


def test_keeps_to_a_constraint_after_a_synchronization():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    layer = keras.layers.Dense(2, kernel_constraint="unit_norm")
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(Lookahead(keras.optimizers.SGD(0.5), 2), "mse")
    model.fit(x, x[:, :2], epochs=2, verbose=0)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"inner": 3}, "inner"),
        ({"inner": "sgd", "sync_period": 1}, "sync_period"),
        ({"inner": "sgd", "slow_step_size": 0.0}, "slow_step_size"),
        ({"inner": "sgd", "slow_step_size": 1.5}, "slow_step_size"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of Lookahead must be"):
        Lookahead(**arguments)


@pytest.mark.any_backend
def test_refuses_loss_scaling_inside_and_tells_the_remedy():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match=r"LossScaleOptimizer\(Lookahead"):
        Lookahead(scaled)


def test_takes_a_model_that_is_built_while_it_trains():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")

    def trained(*layers):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [*layers, keras.layers.Dense(1, kernel_initializer="ones")]
        )
        model.compile(Lookahead(keras.optimizers.SGD(0.1), 2), "mse")
        model.fit(x, x[:, :1], epochs=5, shuffle=False, verbose=0)
        return keras.ops.convert_to_numpy(model.layers[-1].kernel)

    np.testing.assert_allclose(trained(), trained(keras.Input((4,))), rtol=1e-6)

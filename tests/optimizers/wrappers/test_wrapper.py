"""Wrappers around wrappers, in whatever order."""

import copy

import keras
import numpy as np
import pytest
from trajectories import assert_close, run, values_of, variables_at_start

from keras_regopt.optimizers import Lookahead, OptimizerWrapper
from keras_regopt.optimizers.wrappers.exponential_moving_average import (
    ExponentialMovingAverage,
)
from keras_regopt.optimizers.wrappers.gradient_accumulation import (
    GradientAccumulation,
)
from keras_regopt.optimizers.wrappers.sam import SAM
from keras_regopt.testing._backend import backend, data_parallel
from keras_regopt.testing._contract import NotApplicable
from keras_regopt.testing._samples import data, dense_model, modes

QUICK = "jit" if backend() == "jax" else "eager"
STRICT = modes()[-1]

WRAPPERS = {
    "accumulation": lambda inner: GradientAccumulation(inner, 2),
    "average": lambda inner: ExponentialMovingAverage(inner, 0.5),
    "lookahead": lambda inner: Lookahead(inner, 2),
    "sam": lambda inner: SAM(inner, rho=0.5),
}
ORDERS = [
    ("accumulation", "average", "sam", "lookahead"),
    ("lookahead", "sam", "average", "accumulation"),
    ("sam", "accumulation", "lookahead", "average"),
    ("average", "lookahead", "accumulation", "sam"),
]
in_each_order = pytest.mark.parametrize("order", ORDERS, ids=" ".join)


def nested(order, inner=None):
    optimizer = inner or keras.optimizers.Adam(0.05)
    for name in reversed(order):
        optimizer = WRAPPERS[name](optimizer)
    return optimizer


def fit(model, epochs=6):
    # Nine steps of two, so that all periods end within one of an epoch.
    x, y = data()
    model.fit(
        x[:6], y[:6], batch_size=2, epochs=epochs, shuffle=False, verbose=0
    )
    return values_of(model.weights)


@pytest.mark.any_case
@pytest.mark.parametrize("order", ORDERS[1:3], ids=" ".join)
def test_any_order_trains_alike_compiled_or_not(order):
    eager = dense_model(nested(order), mode="eager")
    compiled = dense_model(nested(order), mode=STRICT)
    expected = fit(eager)
    assert_close(fit(compiled), expected, rtol=1e-4, atol=1e-5)
    # Eighteen calls, of which two wrappers let every second one through.
    assert int(eager.optimizer.iterations) == 4
    assert int(compiled.optimizer.iterations) == 4


@pytest.mark.any_backend
@in_each_order
def test_any_order_reloads_and_trains_on_as_one_never_saved(order, tmp_path):
    model = dense_model(nested(order), mode=QUICK)
    fit(model, 3)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    before, after = model.optimizer.variables, reloaded.optimizer.variables
    for own, other in zip(values_of(before), values_of(after), strict=True):
        np.testing.assert_array_equal(own, other)
    assert_close(fit(reloaded, 3), fit(model, 3))


@pytest.mark.any_backend
@in_each_order
def test_a_deep_copy_of_any_order_goes_on_where_the_original_stands(order):
    optimizer = nested(order)
    variables = variables_at_start()
    run(optimizer, 7, variables)
    copied = copy.deepcopy(optimizer)
    values = values_of(variables)
    expected = run(optimizer, 6, variables, first=7)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    for a, b in zip(run(copied, 6, variables, first=7), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.any_case
@pytest.mark.parametrize("order", ORDERS[::3], ids=" ".join)
def test_gradients_that_are_not_finite_change_no_state_of_any(order):
    scaled = keras.optimizers.LossScaleOptimizer(nested(order))
    model = dense_model(scaled, mode=STRICT, dtype="mixed_float16")
    x, y = data()

    def state():
        scaled.inner_optimizer.finalize_variable_values([])
        own = scaled.inner_optimizer.variables
        return values_of([*own, *model.weights])

    def one_step(factor=1.0):
        # Unlike `fit`, this does not put averages into the weights.
        model.train_on_batch(x * factor, y)
        if backend() == "jax":
            model.jax_state_sync()

    for _ in range(3):
        one_step()
    before = state()
    one_step(np.inf)
    for old, new in zip(before, state(), strict=True):
        np.testing.assert_array_equal(old, new)
    for _ in range(6):
        one_step()
    assert int(scaled.iterations) > 0
    assert all(np.all(np.isfinite(value)) for value in state())


@pytest.mark.any_case
@pytest.mark.parametrize("scaling", [False, True])
def test_two_devices_make_the_steps_of_one(scaling):
    def train():
        optimizer = nested(ORDERS[0], keras.optimizers.SGD(0.1))
        if scaling:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        model = dense_model(optimizer)
        x, y = (np.tile(array, (5, 1)) for array in data())
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        return values_of([*model.weights, *optimizer.variables])

    try:
        parallel = data_parallel(train)
    except NotApplicable as reason:
        pytest.skip(reason=str(reason))
    assert_close(parallel, train(), rtol=1e-4, atol=1e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize("name", WRAPPERS)
def test_refuses_another_one_of_the_same_class_at_any_distance(name):
    wrapped = WRAPPERS[name]("sgd")
    cls = type(wrapped).__name__
    between = WRAPPERS["average" if name == "sam" else "sam"](wrapped)
    for inner in (wrapped, between):
        with pytest.raises(
            ValueError, match=f"`inner` of {cls} must be .* another {cls}"
        ):
            WRAPPERS[name](inner)


class Plain(OptimizerWrapper):
    may_repeat = True

    def after_step(self, variables, stepped):
        pass


class Halve(keras.constraints.Constraint):
    def __call__(self, w):
        return w * 0.5


@pytest.mark.any_backend
def test_a_wrapper_may_allow_another_one_of_its_class():
    expected = run(keras.optimizers.SGD(0.1), 3)
    assert_close(run(Plain(Plain(keras.optimizers.SGD(0.1))), 3), expected)


@pytest.mark.parametrize("moves_weights", [True, False])
def test_constrains_the_weights_again_only_if_it_moves_them(moves_weights):
    wrapper = Plain(keras.optimizers.SGD(0.0, gradient_accumulation_steps=2))
    wrapper.moves_weights = moves_weights
    variable = keras.Variable([64.0])
    variable.constraint = Halve()
    slope = keras.ops.convert_to_tensor([1.0])
    values = []
    for _ in range(4):
        wrapper.apply([slope], [variable])
        values.append(float(keras.ops.convert_to_numpy(variable)[0]))
    # Keras itself constrains in every call, the wrapper after a step alone.
    expected = [32, 8, 4, 1] if moves_weights else [32, 16, 8, 4]
    assert values == expected

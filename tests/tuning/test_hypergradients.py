"""Gradients by hyperparameters, against differences in float64."""

import keras
import numpy as np
import pytest
import tiny_gradient
from keras import ops

from keras_regopt.tuning import GradientTuner
from keras_regopt.tuning.gradient._training import batch_of, numbers, vector


@pytest.fixture(autouse=True)
def double_precision():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    _allow_double(True)
    yield
    _allow_double(False)
    keras.config.set_floatx(before)


def _allow_double(is_allowed):
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", is_allowed)


class Case:
    """A training after some steps, and what its next step depends on."""

    def __init__(self, build, data, method="t1t2", steps=2):
        keras.utils.set_random_seed(0)
        tuner = GradientTuner(build, data(7, 1), method=method)
        self.training = tuner._training
        self.train = batch_of(data(9, 0), np.arange(9))
        self.validation = batch_of(data(7, 1), np.arange(7))
        self.positions = tuner._first
        self.factor = ops.convert_to_tensor(1.0, dtype="float32")
        self.state = self.advanced(
            self.training.steps.state(), self.positions, steps
        )

    def advanced(self, state, positions, steps):
        for _ in range(steps):
            state, _ = self.training.train(
                state, vector(positions), *self.train, self.factor
            )
        return state

    def differences(self, steps):
        """Of the validation loss after some steps, by the positions."""

        def loss(positions):
            state = self.advanced(self.state, positions, steps)
            found = self.training.evaluate(
                state, vector(positions), *self.validation
            )
            return float(ops.convert_to_numpy(found))

        return central(loss, self.positions)


def central(function, at, step=1e-3):
    """Differences of fourth order, whose own error is below 1e-8."""
    moves = step * np.eye(len(at))
    return np.array(
        [
            (8 * (function(at + m) - function(at - m)))
            - (function(at + 2 * m) - function(at - 2 * m))
            for m in moves
        ]
    ) / (12 * step)


def test_t1t2_is_the_gradient_through_a_step_for_all_six_kinds():
    case = Case(tiny_gradient.every_kind, tiny_gradient.images)
    found = case.training.gradient(
        case.state,
        vector(case.positions),
        case.train,
        case.validation,
        case.factor,
    )
    assert np.abs(found).min() > 1e-5
    # With the flags of these tests, XLA rounds float64 by 1e-7 on a CPU.
    slack = 1e-6 * np.abs(found).max()
    np.testing.assert_allclose(
        found, case.differences(1), rtol=1e-5, atol=slack
    )


def test_forward_mode_is_the_gradient_through_all_steps():
    case = Case(
        tiny_gradient.rate_and_strength, tiny_gradient.rows, "forward", 0
    )
    training, positions = case.training, vector(case.positions)
    state, tangents = case.state, case.training.no_tangents(case.state)
    # In the first step, the averages of Adam are zero.
    for _ in range(3):
        tangents = training.carry(
            state, tangents, positions, case.train, case.factor
        )
        state = case.advanced(state, case.positions, 1)
    found = training.gradient_of_carried(
        state, tangents, positions, case.validation
    )
    np.testing.assert_allclose(found, case.differences(3), rtol=1e-5)


def test_a_gradient_that_is_zero_makes_no_nan():
    case = Case(tiny_gradient.rate_and_strength, tiny_gradient.rows, "t1t2", 0)
    # Without weights, the penalty has no gradient for the first feature.
    zero = [ops.zeros_like(w) for w in case.state.weights]
    case.state = case.state._replace(weights=zero)
    found = case.training.gradient(
        case.state,
        vector(case.positions),
        case.train,
        case.validation,
        case.factor,
    )
    np.testing.assert_allclose(
        found, case.differences(1), rtol=1e-5, atol=1e-12
    )


@pytest.mark.any_backend
def test_implicit_is_the_neumann_series_of_the_hessian():
    case = Case(tiny_gradient.rate_and_strength, tiny_gradient.rows, "implicit")
    steps, state = case.training.steps, case.state
    shapes = [tuple(w.shape) for w in state.weights]
    start = np.concatenate([numbers(w).ravel() for w in state.weights])

    def unflattened(flat):
        ends = np.cumsum([np.prod(s) for s in shapes])[:-1]
        parts = np.split(flat, ends)
        return [
            vector(p.reshape(s)) for p, s in zip(parts, shapes, strict=True)
        ]

    def slope(flat, positions):
        found, _, _ = steps.gradients(
            unflattened(flat),
            state.others,
            steps.values(vector(positions)),
            *case.train,
        )
        return np.concatenate([numbers(g.detach()).ravel() for g in found])

    def loss(flat):
        present = state._replace(weights=unflattened(flat))
        found = case.training.evaluate(
            present, vector(case.positions), *case.validation
        )
        return float(found)

    hessian = central(lambda w: slope(w, case.positions), start)
    mixed = central(lambda p: slope(start, p), case.positions)
    term = total = central(loss, start)
    for _ in range(5):
        term = term - 0.05 * hessian @ term
        total = total + term
    wanted = -0.05 * mixed @ total
    found = case.training.gradient(
        state,
        vector(case.positions),
        case.train,
        case.validation,
        case.factor,
    )
    strength, rate = 0, 1
    np.testing.assert_allclose(found[strength], wanted[strength], rtol=1e-5)
    through_step = case.differences(1)
    np.testing.assert_allclose(found[rate], through_step[rate], rtol=1e-5)

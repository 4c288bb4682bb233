"""A train step and a validation loss as functions of values."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_regopt._autodiff import gradients_within
from keras_regopt._hyper_parameter import values_of
from keras_regopt._keras import clipped, compiled_loss, held_rate
from keras_regopt._precision import at_least_float32
from keras_regopt._validate import fail
from keras_regopt.optimizers import SGD, Adam, RMSprop
from keras_regopt.optimizers.engine._formula import stepped
from keras_regopt.optimizers.engine._step import Step

# Small enough for no step to feel it, and its square above zero.
_TINY = 1e-12


class State(NamedTuple):
    """All that a training changes: lists of tensors.

    Args:
        weights: The trainable variables.
        others: The other variables, such as the state of seeds.
        slots: The optimizer's state of each weight, lists.
        count: How many steps there were, a scalar.
    """

    weights: list[Any]
    others: list[Any]
    slots: list[list[Any]]
    count: Any


class Steps:
    """The functions of one model.

    Args:
        owner: The tuner, for errors.
        model: A compiled and built model.
        tuned: What `find` returned.
    """

    def __init__(self, owner, model, tuned):
        _check_optimizer(owner, model.optimizer)
        self.model = model
        self.tuned = tuned
        self.parameters = [each.parameter for each in tuned]
        self.weights = model.trainable_variables
        self.others = model.non_trainable_variables
        self.optimizer = model.optimizer
        self.optimizer.build(self.weights)
        # Inside of a step, TensorFlow knows the variables no longer.
        self._decays = [self.optimizer.decay_of(v) for v in self.weights]

    def state(self):
        """The present values of the variables, as a `State`."""
        count = len(self.weights)
        return State(
            [_copy(v) for v in self.weights],
            [_copy(v) for v in self.others],
            [[_copy(s) for s in self._slots(i)] for i in range(count)],
            ops.cast(_copy(self.optimizer.iterations), "int32"),
        )

    def write(self, state):
        """Assigns a `State` to the variables."""
        slots = [s for i in range(len(self.weights)) for s in self._slots(i)]
        values = [v for each in state.slots for v in each]
        own = [*self.weights, *self.others, *slots]
        new = [*state.weights, *state.others, *values]
        for variable, value in zip(own, new, strict=True):
            variable.assign(value)
        self.optimizer.iterations.assign(state.count)

    def _slots(self, index):
        return [s for s in self.optimizer.slots.of(index) if s is not None]

    def values(self, positions):
        """The values of all hyperparameters at a vector of positions."""
        return [p.at(positions[i]) for i, p in enumerate(self.parameters)]

    def train_loss(self, weights, others, values, x, y):
        """The loss with all penalties, and the others after the call."""
        scope = self._scope(weights, others)
        with values_of(self.parameters, values), scope:
            predictions = self.model(x, training=True)
            loss = self.model.compute_loss(
                x=x, y=y, y_pred=predictions, training=True
            )
        after = [
            before if now is None else now
            for before, now in (
                (value, scope.get_current_value(variable))
                for variable, value in zip(self.others, others, strict=True)
            )
        ]
        return loss, after

    def validation_loss(self, weights, others, values, x, y):
        """The compiled loss without penalties and label smoothing."""
        values = [
            ops.zeros_like(value) if each.is_smoothing else value
            for each, value in zip(self.tuned, values, strict=True)
        ]
        scope = self._scope(weights, others)
        with values_of(self.parameters, values), scope:
            predictions = self.model(x, training=False)
            return compiled_loss(self.model)(y, predictions)

    def gradients(self, weights, others, values, x, y):
        """Those of the loss by the weights, the loss, the others afterwards."""
        return gradients_within(
            lambda w: self.train_loss(w, others, values, x, y), weights
        )

    def updated(self, state, gradients, values, factor, is_guarded=False):
        """Weights and slots after a step of the optimizer.

        Args:
            state: A `State`.
            gradients: List of tensors.
            values: The values of the hyperparameters.
            factor: What the learning rate is multiplied by.
            is_guarded: Whether the result is differentiated: the derivative of
                the root of an average of squares is infinite at zero, where a
                gradient always was zero. Defaults to `False`.

        Returns:
            A list of tensors, and a list of lists of tensors.
        """
        optimizer = self.optimizer
        if is_guarded:
            gradients = [ops.where(g == 0, _TINY, g) for g in gradients]
        scope = self._scope(state.weights, state.others, state.count)
        with values_of(self.parameters, values), scope:
            gradients = clipped(optimizer, gradients)
            dtype = at_least_float32(*(w.dtype for w in state.weights))
            rate = ops.cast(self._rate(state.count), dtype)
            rate = rate * ops.cast(factor, dtype)
            shared = optimizer.step_values(gradients, self.weights, rate)
            results = [
                self._stepped(i, state, gradients[i], rate, shared)
                for i in range(len(self.weights))
            ]
        return [w for w, _ in results], [s for _, s in results]

    def _stepped(self, index, state, gradient, rate, shared):
        optimizer, variable = self.optimizer, self.weights[index]
        step = Step(
            index,
            rate * optimizer.rate_factors[index],
            self._decays[index],
            shared,
        )
        value, slots = stepped(
            optimizer, state.weights[index], gradient, state.slots[index], step
        )
        if variable.constraint is not None:
            value = variable.constraint(value)
        return value, slots

    def _rate(self, count):
        held = held_rate(self.optimizer)
        if isinstance(held, keras.Variable):
            return held.value
        is_schedule = isinstance(
            held, keras.optimizers.schedules.LearningRateSchedule
        )
        return held(count) if is_schedule else held()

    def train(self, state, positions, x, y, factor):
        """A step: the next `State`, and the loss before it."""
        values = self.values(positions)
        gradients, loss, others = self.gradients(
            state.weights, state.others, values, x, y
        )
        weights, slots = self.updated(state, gradients, values, factor)
        return State(weights, others, slots, state.count + 1), loss

    def _scope(self, weights, others, count=None):
        mapping = [
            *zip(self.weights, weights, strict=True),
            *zip(self.others, others, strict=True),
        ]
        if count is not None:
            iterations = self.optimizer.iterations
            mapping.append((iterations, ops.cast(count, iterations.dtype)))
        return keras.StatelessScope(mapping, collect_losses=True)


def _copy(variable):
    return ops.convert_to_tensor(np.array(ops.convert_to_numpy(variable)))


def _check_optimizer(owner, optimizer):
    allowed = "compiled with SGD, Adam, AdamW or RMSprop of keras_regopt"
    good = isinstance(optimizer, (SGD, Adam, RMSprop))
    if not good or (not optimizer.runs_formula and type(optimizer) is not SGD):
        remedy = "A step is differentiated through the formula of these."
        name = type(optimizer).__name__
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            remedy = 'The policy "mixed_bfloat16" scales no loss.'
        fail(owner, "build", f"a function of a model {allowed}", name, remedy)
    for argument in ("use_ema", "gradient_accumulation_steps", "lazy"):
        if getattr(optimizer, argument):
            fail(owner, "build", f"of an optimizer without `{argument}`", True)

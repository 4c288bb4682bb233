"""Hands out what is computed of the gradients that a train step uses.

Nothing is kept in variables, which JAX would have to pass along and a saved
model would contain. The optimizer's `apply` measures the gradients while the
step is traced or run; the train step adds the result to its logs, as one
tensor; and the train function, which `fit` calls, takes it out again.
"""

import functools
import threading

import keras
from keras import ops

from keras_regopt._keras import trained_variables
from keras_regopt._optimizer_tree import chain
from keras_regopt._train_step.features import GRADIENTS, Feature
from keras_regopt._train_step.overrides import override, take_back

# No metric has this name.
_LOG = "keras_regopt/gradients"


class Gradients(Feature):
    """Measures the gradients of each step, as they come to the optimizer.

    Args:
        owner: The name of who asks, for the error.
        measure: Function of the gradients, of their variables, of all that
            the optimizer knows, also those that are frozen in this step, and
            of the factor that the loss was multiplied by. It returns a tensor.
        receive: Function that gets the tensor of each train function's call.
    """

    kind = GRADIENTS
    ends_with_fit = True

    def __init__(self, owner, measure, receive):
        self._owner = owner
        self._measure = measure
        self._receive = receive
        self._optimizer = None
        # Of the step that is being traced or run, by the thread of a replica.
        self._measured = threading.local()

    def start(self, model):
        self._optimizer = model.optimizer
        name, wrap = "apply", self._around_apply
        if keras.backend.backend() == "jax":
            name, wrap = "stateless_apply", self._around_stateless_apply
        override(self._optimizer, name, self.kind, wrap)

    def end(self, model):
        # The model's own may have been another one in an earlier training.
        for optimizer in (self._optimizer, model.optimizer):
            for name in ("stateless_apply", "apply"):
                take_back(optimizer, name, self.kind)

    def around_step(self, model, step):
        def step_with_measured(*arguments):
            if model.optimizer is not self._optimizer:
                # The model was compiled again.
                self.end(model)
                self.start(model)
            self._measured.value = None
            result = step(*arguments)
            value, self._measured.value = self._measured.value, None
            if value is None:
                raise RuntimeError(
                    f"{self._owner} saw no gradients: the train step of "
                    f"{type(model).__name__} does not hand them to "
                    "`self.optimizer`."
                )
            if keras.backend.backend() == "jax":
                logs, state = result
                return {**logs, _LOG: value}, state
            return {**result, _LOG: value}

        return step_with_measured

    def around_function(self, model, function):
        @functools.wraps(function)
        def train_function(*arguments):
            result = function(*arguments)
            is_jax = keras.backend.backend() == "jax"
            logs = dict(result[0] if is_jax else result)
            self._receive(logs.pop(_LOG))
            return (logs, *result[1:]) if is_jax else logs

        return train_function

    def _around_apply(self, apply):
        optimizer = self._optimizer

        def measuring_apply(grads, trainable_variables=None):
            variables = trainable_variables
            if variables is None:
                variables = trained_variables(optimizer)
            self._note(optimizer, grads, list(variables))
            return apply(grads, trainable_variables)

        return measuring_apply

    def _around_stateless_apply(self, apply):
        optimizer = self._optimizer

        def measuring_apply(optimizer_variables, grads, trainable_variables):
            # Keras refuses an optimizer that is not built in its own words.
            if optimizer.built:
                mapping = zip(
                    optimizer.variables, optimizer_variables, strict=True
                )
                with keras.StatelessScope(list(mapping)):
                    self._note(optimizer, grads, trained_variables(optimizer))
            return apply(optimizer_variables, grads, trainable_variables)

        return measuring_apply

    def _note(self, optimizer, gradients, variables):
        known = trained_variables(optimizer)
        scale = _loss_scale(optimizer)
        self._measured.value = self._measure(
            list(gradients), variables, known, scale
        )


def _loss_scale(optimizer):
    """What the loss was multiplied by, a number or a scalar tensor."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        # Before it is built, the first step is scaled by the initial value.
        if not optimizer.built:
            return optimizer.initial_scale
        return ops.convert_to_tensor(optimizer.dynamic_scale)
    factors = (o.loss_scale_factor for o in chain(optimizer))
    return next((f for f in factors if f is not None), None) or 1.0

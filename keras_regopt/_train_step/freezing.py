"""Lets JAX train a part of the variables that an optimizer was built with."""

import contextlib
import functools
import warnings

import keras

from keras_regopt._train_step.features import FREEZING, Feature
from keras_regopt._train_step.overrides import replaced


class Freezing(Feature):
    """Train steps in which variables may be frozen.

    On JAX, an optimizer takes the values of all its variables at once. It gets
    the frozen ones too, which have no gradient. Elsewhere nothing is needed.

    Args:
        trainable: The variables that the optimizer was built with.
    """

    kind = FREEZING

    def __init__(self, trainable):
        self._trainable = trainable

    def around_step(self, model, step):
        if keras.backend.backend() != "jax":
            return step

        @functools.wraps(step)
        def step_with_frozen(state, data):
            frozen = zip(
                map(id, model.non_trainable_variables), state[1], strict=True
            )
            optimizer = model.optimizer
            apply = functools.partial(
                self._apply, model, optimizer.stateless_apply, dict(frozen)
            )
            with replaced(optimizer, "stateless_apply", apply), _no_warning():
                return step(state, data)

        return step_with_frozen

    def _apply(self, model, apply, frozen, optimizer_values, gradients, values):
        """`stateless_apply` for the trainable variables of a model alone."""
        keys = list(map(id, model.trainable_variables))
        gradients = dict(zip(keys, gradients, strict=True))
        values = {**frozen, **dict(zip(keys, values, strict=True))}
        values, optimizer_values = apply(
            optimizer_values,
            [gradients.get(id(v)) for v in self._trainable],
            [values[id(v)] for v in self._trainable],
        )
        values = dict(zip(map(id, self._trainable), values, strict=True))
        return [values[key] for key in keys], optimizer_values


@contextlib.contextmanager
def _no_warning():
    """Context in which Keras does not warn of missing gradients."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gradients do not exist")
        yield

"""Numbers of an optimizer that change with each of its steps."""

import functools

import keras

from keras_regopt._keras import count_of_calls
from keras_regopt._train_step.features import ATTRIBUTES, Feature
from keras_regopt._train_step.overrides import override, replaced, take_back
from keras_regopt._train_step.step_number import step_number


class StepAttributes(Feature):
    """Attributes whose values are computed inside of each step.

    Outside of a step, the attributes hold their own values.

    Args:
        values: List of triples: an optimizer, the name of its attribute, and
            a function of the number of its steps that returns a scalar
            tensor > 0.
    """

    kind = ATTRIBUTES
    ends_with_fit = True

    def __init__(self, values):
        self._values = values

    def start(self, model):
        for optimizer, attribute, value in self._values:
            wrap = functools.partial(_around_apply, optimizer, attribute, value)
            override(optimizer, "apply", self.kind, wrap)

    def end(self, model):
        for optimizer, _, _ in self._values:
            take_back(optimizer, "apply", self.kind)


def _around_apply(optimizer, attribute, value, apply):
    """The `apply` of an optimizer with the value of the step in it."""

    def apply_with_value(grads, *arguments, **options):
        number = step_number(value(count_of_calls(optimizer)), _dtype(grads))
        with replaced(optimizer, attribute, number):
            return apply(grads, *arguments, **options)

    if keras.backend.backend() == "torch":
        import torch

        # Its compiler would compile again for each number.
        return torch.compiler.disable(apply_with_value)
    return apply_with_value


def _dtype(grads):
    doubled = any(
        keras.backend.standardize_dtype(g.dtype) == "float64"
        for g in grads
        if g is not None
    )
    return "float64" if doubled else "float32"

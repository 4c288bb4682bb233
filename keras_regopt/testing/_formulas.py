"""The promises of an optimizer's formula."""

import keras
import numpy as np

from keras_regopt._optimizer_tree import chain
from keras_regopt.testing._contract import NotApplicable, require

# Two that may lie together, and two that have fewer axes.
SHAPES = [(2, 3), (3, 2), (5,), ()]


def formula_keeps_shapes_and_dtypes(subject):
    """A formula returns value and state in the shapes and dtypes it got.

    Another shape would be broadcast on some backends, and refused by others.
    """
    for dtype in ("float32", "bfloat16"):
        optimizer = subject.make()
        _check(_formula_optimizer(optimizer))
        variables = [
            keras.Variable(np.ones(shape), dtype=dtype) for shape in SHAPES
        ]
        for slope in (0.5, -1.0):
            gradients = [keras.ops.full(s, slope, dtype) for s in SHAPES]
            optimizer.apply(gradients, variables)


def _formula_optimizer(optimizer):
    """The optimizer, or one within it, that has a formula."""
    for each in chain(optimizer):
        if getattr(each, "runs_formula", False):
            return each
    raise NotApplicable("there is no formula")


def _check(optimizer):
    """Checks every result of an optimizer's formula from now on."""
    formula = optimizer.formula

    def checked(variable, gradient, slots, step):
        inputs = [_kind(x) for x in (variable, *slots)]
        value, states = formula(variable, gradient, slots, step)
        outputs = [_kind(x) for x in (value, *states)]
        require(
            len(outputs) == len(inputs),
            f"the formula returns {len(states)} states instead of {len(slots)}",
        )
        pairs = zip(inputs, outputs, strict=True)
        for index, (before, after) in enumerate(pairs):
            what = f"state {index - 1}" if index else "the value"
            require(
                before == after,
                f"the formula returns {what} as {after} instead of {before}",
            )
        return value, states

    object.__setattr__(optimizer, "formula", checked)


def _kind(x):
    """The dtype and the shape of a tensor, as text."""
    if x is None:
        return "None"
    dtype = keras.backend.standardize_dtype(x.dtype)
    return f"{dtype} of the shape {tuple(x.shape)}"

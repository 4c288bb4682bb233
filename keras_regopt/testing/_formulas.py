"""What an optimizer's formula promises."""

import keras
import numpy as np

from keras_regopt._optimizer_tree import chain
from keras_regopt.testing._contract import NotApplicable, require

# Two that may lie together, and two that have fewer axes.
SHAPES = [(2, 3), (3, 2), (5,), ()]


def formula_returns_what_it_was_given(subject):
    """A formula returns value and state in the shapes and dtypes it got.

    What it returned in another shape would be spread over the whole on some
    backends, and be refused by others.
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
    """Looks at all that the formula of an optimizer returns from now on."""
    formula = optimizer.formula

    def checked(variable, gradient, slots, step):
        came = [_kind(x) for x in (variable, *slots)]
        value, states = formula(variable, gradient, slots, step)
        left = [_kind(x) for x in (value, *states)]
        require(
            len(left) == len(came),
            f"the formula returns {len(states)} states instead of {len(slots)}",
        )
        for place, (before, after) in enumerate(zip(came, left, strict=True)):
            what = f"state {place - 1}" if place else "the value"
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

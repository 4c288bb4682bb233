"""Walks the optimizers within an optimizer.

One stands within a wrapper of this package (`inner`) or of Keras
(`inner_optimizer`, of `LossScaleOptimizer`), several in a `MultiOptimizer`.
"""

import keras


def inner_of(optimizer):
    """The optimizer directly within a wrapper, or `None`."""
    for name in ("inner_optimizer", "inner"):
        inner = getattr(optimizer, name, None)
        if isinstance(inner, keras.optimizers.Optimizer):
            return inner
    return None


def has_members(optimizer):
    """Whether it is a `MultiOptimizer`, which may find its members later."""
    return hasattr(optimizer, "optimizers")


def members_of(optimizer):
    """The members of a `MultiOptimizer`; of others, none."""
    return list(getattr(optimizer, "optimizers", None) or [])


def parts_of(optimizer):
    """The optimizers directly within another one, a list."""
    inner = inner_of(optimizer)
    return members_of(optimizer) if inner is None else [inner]


def chain(optimizer):
    """An optimizer and, if it is a wrapper, all that it stands around."""
    while optimizer is not None:
        yield optimizer
        optimizer = inner_of(optimizer)


def walk(optimizer):
    """An optimizer and all within it, members too, the outer ones first."""
    if optimizer is None:
        return
    yield optimizer
    for part in parts_of(optimizer):
        yield from walk(part)

"""Norms of groups of weights."""

from keras import ops


def sum_of_norms(x, axis=None):
    """The sum of the norms of groups, with no slope where one is 0."""
    squares = ops.sum(ops.square(x), axis=axis)
    # The root has no finite slope at zero, so it is kept away from there.
    nonzero = squares > 0
    norms = ops.sqrt(ops.where(nonzero, squares, 1.0))
    return ops.sum(ops.where(nonzero, norms, 0.0))

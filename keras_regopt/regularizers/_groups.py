"""Norms of groups of weights."""

from keras import ops


def sum_of_norms(x, axis=None):
    """The sum of the Euclidean norms of groups, with no slope where one is 0.

    Args:
        x: A float tensor.
        axis: A tuple of the axes within a group; `None` makes all of it one.

    Returns:
        A scalar tensor.
    """
    squares = ops.sum(ops.square(x), axis=axis)
    # The root has no finite slope at zero, so it is kept away from there.
    nonzero = squares > 0
    norms = ops.sqrt(ops.where(nonzero, squares, 1.0))
    return ops.sum(ops.where(nonzero, norms, 0.0))

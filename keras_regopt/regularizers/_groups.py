"""Groups of weights: which axes they span, and their norms."""

from keras import ops

from keras_regopt._validate import fail, integer


def group_axes(owner, axis):
    """Checks the argument `axis`.

    Args:
        owner: The regularizer under construction.
        axis: The value to check.

    Returns:
        An integer, or a list of integers.

    Raises:
        ValueError: If it is anything but an integer or different integers.
    """
    if not isinstance(axis, (list, tuple)):
        return integer(owner, "axis", axis)
    axes = [integer(owner, "axis", a) for a in axis]
    if not axes or len(set(axes)) < len(axes):
        fail(owner, "axis", "an integer or a list of different ones", axis)
    return axes


def sum_of_norms(x, axis=None):
    """The sum of the Euclidean norms of groups, with no slope where one is 0.

    Args:
        x: A float tensor.
        axis: The axes within a group; `None` makes all of it one group.

    Returns:
        A scalar tensor.
    """
    squares = ops.sum(ops.square(x), axis=axis)
    # The root has no finite slope at zero, so it is kept away from there.
    nonzero = squares > 0
    norms = ops.sqrt(ops.where(nonzero, squares, 1.0))
    return ops.sum(ops.where(nonzero, norms, 0.0))

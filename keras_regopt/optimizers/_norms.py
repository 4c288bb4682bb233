"""Euclidean norms, in single precision whatever the tensors are."""

from keras import ops


def sum_of_squares(x):
    """The sum of the squares of all entries.

    Args:
        x: A tensor.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    x = ops.convert_to_tensor(x)
    if x.dtype != "float64":
        x = ops.cast(x, "float32")
    return ops.sum(ops.square(x))


def norm(x):
    """The Euclidean norm of all entries; see `sum_of_squares`."""
    return ops.sqrt(sum_of_squares(x))


def global_norm(tensors):
    """The Euclidean norm of several tensors as if they were one.

    Args:
        tensors: A list of tensors, at least one.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    return ops.sqrt(sum(sum_of_squares(x) for x in tensors))

"""Euclidean norms, in single precision whatever the tensors are."""

from keras import ops

from keras_regopt._sums import row_totals, total_of_squares
from keras_regopt.optimizers.engine._numerics import wide
from keras_regopt.optimizers.engine._sparse_gradients import is_sparse


def sum_of_squares(x):
    """The sum of the squares of all entries.

    Args:
        x: A tensor.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    # Of an `IndexedSlices`, in which every row must appear once.
    x = wide(x.values if is_sparse(x) else x)
    return total_of_squares(x)


def norm(x):
    """The Euclidean norm of all entries; see `sum_of_squares`."""
    return ops.sqrt(sum_of_squares(x))


def row_norms(x):
    """The Euclidean norm of each row of a TensorFlow matrix, as a column."""
    return ops.sqrt(row_totals(ops.square(wide(x))))[:, None]


def global_norm(tensors):
    """The Euclidean norm of several tensors as if they were one.

    Args:
        tensors: A list of tensors, at least one.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    return ops.sqrt(sum(sum_of_squares(x) for x in tensors))

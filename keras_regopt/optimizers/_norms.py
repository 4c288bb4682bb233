"""Euclidean norms, in single precision whatever the tensors are."""

import keras
from keras import ops

from keras_regopt.optimizers._numerics import wide
from keras_regopt.optimizers._rows import is_sparse

# From this size on, how a sum is computed decides over its speed.
LARGE = 4096


def sum_of_squares(x):
    """The sum of the squares of all entries.

    Args:
        x: A tensor.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    # Of an `IndexedSlices`, in which every row must appear once.
    x = wide(x.values if is_sparse(x) else x)
    return _sums.get(keras.backend.backend(), _sum_anywhere)(x)


def total(x):
    """The sum of all entries, in the dtype of the tensor.

    XLA sums a whole tensor one number after the other on a CPU. The sum of
    eight parts it computes with vectors, and only that is summed so.

    Args:
        x: A tensor.

    Returns:
        A scalar tensor.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.sum(x)

    import tensorflow as tf

    size = x.shape.num_elements()
    if size is None or size < LARGE:
        return tf.reduce_sum(x)
    return _row_totals(tf.reshape(x, [1, size]))[0]


def _row_totals(x):
    import tensorflow as tf

    if tf.__internal__.get_enclosing_xla_context() is None:
        return tf.reduce_sum(x, 1)
    rows, size = x.shape
    whole = size // 8 * 8
    parts = tf.unstack(tf.reshape(x[:, :whole], [rows, 8, whole // 8]), axis=1)
    while len(parts) > 1:
        half = len(parts) // 2
        parts = [a + b for a, b in zip(parts[:half], parts[half:], strict=True)]
    return tf.reduce_sum(parts[0], 1) + tf.reduce_sum(x[:, whole:], 1)


def norm(x):
    """The Euclidean norm of all entries; see `sum_of_squares`."""
    return ops.sqrt(sum_of_squares(x))


def row_norms(x):
    """The Euclidean norm of each row of a TensorFlow matrix, as a column."""
    return ops.sqrt(_row_totals(ops.square(wide(x))))[:, None]


def global_norm(tensors):
    """The Euclidean norm of several tensors as if they were one.

    Args:
        tensors: A list of tensors, at least one.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    return ops.sqrt(sum(sum_of_squares(x) for x in tensors))


def _sum_on_tensorflow(x):
    import tensorflow as tf

    if tf.__internal__.get_enclosing_xla_context() is None:
        return 2 * tf.nn.l2_loss(x)
    return total(tf.square(x))


def _sum_on_torch(x):
    import torch

    return torch.square(torch.linalg.vector_norm(x))


def _sum_anywhere(x):
    return ops.sum(ops.square(x))


_sums = {
    "tensorflow": _sum_on_tensorflow,
    "torch": _sum_on_torch,
}

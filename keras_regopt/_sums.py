"""Sums over whole tensors that are fast on every backend."""

import keras
from keras import ops

# From this size on, how a sum is computed decides over its speed.
LARGE = 4096


def total_of_squares(x):
    """The sum of the squares of all entries, in the dtype of the tensor.

    Args:
        x: A dense float tensor.

    Returns:
        A scalar tensor.
    """
    return _sums.get(keras.backend.backend(), _sum_anywhere)(x)


def total(x):
    """The sum of all entries, in the dtype of the tensor.

    On a CPU, XLA adds the numbers of a whole tensor one by one. Eight slices it
    adds with vectors; only their sum is added one by one.

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
    return row_totals(tf.reshape(x, [1, size]))[0]


def row_totals(x):
    import tensorflow as tf

    if tf.__internal__.get_enclosing_xla_context() is None:
        return tf.reduce_sum(x, 1)
    rows, size = x.shape
    whole = size // 8 * 8
    slices = tf.unstack(tf.reshape(x[:, :whole], [rows, 8, whole // 8]), axis=1)
    while len(slices) > 1:
        half = len(slices) // 2
        slices = [
            a + b for a, b in zip(slices[:half], slices[half:], strict=True)
        ]
    return tf.reduce_sum(slices[0], 1) + tf.reduce_sum(x[:, whole:], 1)


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

"""Means of penalties on activities.

Since 3.14, Keras divides the result of an `activity_regularizer` by the size of
the batch. Ours are means over the examples with every version of Keras.
"""

import math

from keras import ops

from keras_regopt._keras import DIVIDES_ACTIVITY_PENALTIES


def divisor(x):
    """The number by which Keras will divide the penalty on an activity.

    Args:
        x: The activity, a tensor of rank 1 at least.

    Returns:
        The length of the first axis, as a tensor of the dtype of `x`; the
        number 1 with a Keras that does not divide.
    """
    if not DIVIDES_ACTIVITY_PENALTIES:
        return 1.0
    return ops.cast(ops.shape(x)[0], x.dtype)


def per_position(total, x):
    """Divides a sum by the number of positions, as far as Keras does not.

    Args:
        total: A scalar tensor, the sum over an activity.
        x: The activity, with the batch in its first axis and the features in
            its last one; all axes in between are positions.

    Returns:
        A scalar tensor.
    """
    sizes = ops.shape(x)[1 if DIVIDES_ACTIVITY_PENALTIES else 0 : -1]
    if all(isinstance(size, int) for size in sizes):
        return total / math.prod(sizes)
    for size in sizes:
        total = total / ops.cast(size, total.dtype)
    return total

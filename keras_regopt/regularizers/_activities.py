"""What the penalties on activities share.

Keras divides what an `activity_regularizer` returns by the size of the batch.
"""

import math

from keras import ops


def batch_size(x):
    """The length of the first axis, as a number or a tensor of the same dtype.

    Args:
        x: A tensor of rank 1 at least.

    Returns:
        What Keras will divide by.
    """
    return ops.cast(ops.shape(x)[0], x.dtype)


def per_position(total, x):
    """Divides a sum by the number of positions that an example has.

    Args:
        total: A scalar tensor, the sum over an activity.
        x: The activity, with the batch in its first axis and the features in
            its last one; all axes in between are positions.

    Returns:
        A scalar tensor.
    """
    sizes = ops.shape(x)[1:-1]
    if all(isinstance(size, int) for size in sizes):
        return total / math.prod(sizes)
    for size in sizes:
        total = total / ops.cast(size, total.dtype)
    return total

"""From uniform draws to the numbers that arguments ask for."""

from keras_regopt._hyper_parameter import is_tuned
from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph


def between(factor, draw):
    """Numbers of the range that a factor stands for.

    Args:
        factor: A number `f`, for the range from `-f` to `f`, or a pair.
        draw: Tensor of numbers from 0 to 1.

    Returns:
        A tensor like `draw`.
    """
    low, high = factor if isinstance(factor, tuple) else (-factor, factor)
    return low + (high - low) * draw


def one_or_between(amount, draw):
    """A number itself, where there is one, or numbers of the range of a pair.

    Args:
        amount: A number, a pair or a `HyperParameter`.
        draw: Tensor of numbers from 0 to 1.

    Returns:
        A tensor like `draw`.
    """
    if is_tuned(amount):
        # In a pipeline of data, whose graph is none of the backend's.
        if in_foreign_tf_graph():
            return ops.cast(amount.value, draw.dtype) + 0.0 * draw
        # In its own precision, which may be higher.
        number = amount()
        return number + ops.cast(0.0 * draw, number.dtype)
    pair = amount if isinstance(amount, tuple) else (amount, amount)
    return between(pair, draw)

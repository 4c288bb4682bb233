"""Drawing one of several layers, in proportion to probabilities."""

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._validate import fail, in_range


def checked_probabilities(owner, probabilities, count):
    """The argument `probabilities`: `None`, or a list of positive numbers.

    Args:
        owner: The object under construction.
        probabilities: The argument.
        count: How many layers there are.

    Raises:
        ValueError: If it is neither, or of another length.
    """
    if probabilities is None:
        return None
    good = isinstance(probabilities, (list, tuple))
    if not good or len(probabilities) != count:
        allowed = f"a list of {count} numbers > 0, one a layer"
        fail(owner, "probabilities", allowed, probabilities)
    return [in_range(owner, "probabilities", p, above=0) for p in probabilities]


def drawn_number(draw, probabilities, count):
    """The number of a layer for each draw.

    Args:
        draw: Tensor of numbers from 0 to 1, of shape `(batch,)`.
        probabilities: What `checked_probabilities` returned.
        count: How many layers there are.

    Returns:
        An int32 tensor of shape `(batch,)`.
    """
    odds = probabilities or [1] * count
    ends = (np.cumsum(odds) / np.sum(odds)).astype("float32")[:-1]
    passed = draw[:, None] >= ops.convert_to_tensor(ends[None])
    return ops.sum(ops.cast(passed, "int32"), axis=1)

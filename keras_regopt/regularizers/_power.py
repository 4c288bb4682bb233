"""Power iteration on weights, whose last axis is that of the outputs."""

import numpy as np
from keras import ops

# From an unknown start; enough to come near, while a saved vector stays near.
FIRST_ITERATIONS = 20


def as_matrix(x):
    """A weight as a matrix with a column for each output.

    Args:
        x: A tensor of rank 1 at least.

    Returns:
        A tensor of rank 2.
    """
    return ops.reshape(x, (-1, x.shape[-1]))


def start_vector(size, dtype):
    """A unit vector without a preferred direction, the same each time."""
    vector = np.random.default_rng(0).normal(size=size)
    return ops.cast(vector / np.linalg.norm(vector), dtype)


def unit(vector, otherwise):
    """A vector at length 1, or another one where it is zero."""
    square = ops.sum(ops.square(vector))
    zero = square == 0
    length = ops.sqrt(ops.where(zero, 1.0, square))
    return ops.where(zero, otherwise, vector / length)

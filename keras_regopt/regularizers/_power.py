"""Power iteration on weights, whose last axis is that of the outputs."""

from keras import ops

# From an unknown start; later, a saved vector needs fewer.
FIRST_ITERATIONS = 20


def as_matrix(x):
    """A weight as a matrix with a column for each output."""
    return ops.reshape(x, (-1, x.shape[-1]))


def unit_vector(vector, otherwise):
    """A vector divided by its norm, or another one where it is zero."""
    square = ops.sum(ops.square(vector))
    zero = square == 0
    length = ops.sqrt(ops.where(zero, 1.0, square))
    return ops.where(zero, otherwise, vector / length)

"""Rows, norms and directions of derivatives by the inputs."""

import functools
import math

from keras import ops


def square_norms(tensors):
    """The squared Euclidean norm of each example, over several tensors."""
    return sum(ops.sum(ops.square(rows(tensor)), axis=-1) for tensor in tensors)


def rows(tensor):
    """A tensor in single precision with one row for each example."""
    tensor = ops.cast(tensor, "float32")
    sizes = tensor.shape[1:]
    if None in sizes:
        return ops.reshape(tensor, (ops.shape(tensor)[0], -1))
    return ops.reshape(tensor, (-1, math.prod(sizes)))


def unit(tensors):
    """Tensors divided by the length that an example has over them all."""
    # Else the squares of small slopes would vanish.
    largest = [ops.max(ops.abs(rows(t)), axis=-1) for t in tensors]
    tensors = _divided(tensors, functools.reduce(ops.maximum, largest))
    return _divided(tensors, ops.sqrt(square_norms(tensors)))


def _divided(tensors, lengths):
    lengths = ops.where(lengths > 0, lengths, 1.0)
    return [
        t / ops.reshape(lengths, (-1,) + (1,) * (len(t.shape) - 1))
        for t in tensors
    ]

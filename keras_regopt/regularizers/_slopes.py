"""Derivatives by the inputs, which can be differentiated once more."""

import functools
import math

import keras
from keras import ops


def pullback(function, inputs, *, twice=True):
    """A function's value, and its pullback to the inputs.

    Args:
        function: Function of a list of tensors that returns one tensor.
        inputs: List of float tensors.
        twice: Whether the gradients will be differentiated again, which torch
            has to know.

    Returns:
        The value, and a function of a tensor of its shape that returns the
        gradients of their inner product by the inputs, as a list.
    """
    return _PULLBACKS[keras.backend.backend()](function, inputs, twice)


def _tensorflow(function, inputs, twice):
    import tensorflow as tf

    inputs = [tf.convert_to_tensor(x) for x in inputs]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        value = function(inputs)

    def pull(vector):
        slopes = tape.gradient(
            value,
            inputs,
            output_gradients=vector,
            unconnected_gradients="zero",
        )
        for x, slope in zip(inputs, slopes, strict=True):
            # Some gradients forget it.
            slope.set_shape(x.shape)
        return slopes

    return value, pull


def _jax(function, inputs, twice):
    import jax

    value, pull = jax.vjp(function, list(inputs))
    return value, lambda vector: pull(vector)[0]


def _torch(function, inputs, twice):
    import torch

    inputs = [x.detach().requires_grad_(True) for x in inputs]
    value = function(inputs)

    def pull(vector):
        slopes = torch.autograd.grad(
            value,
            inputs,
            grad_outputs=vector,
            create_graph=twice,
            retain_graph=True,
            allow_unused=True,
        )
        return [
            torch.zeros_like(x) if slope is None else slope
            for x, slope in zip(inputs, slopes, strict=True)
        ]

    return value, pull


_PULLBACKS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


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

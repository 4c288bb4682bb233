"""Running averages of all weights of a model in one call."""

import functools

import keras
from keras import ops


def mover(read):
    """Makes the function that moves averages towards the weights of a model.

    Args:
        read: Function that returns the values of the weights.

    Returns:
        A function of a list of averages, which must not be used any more
        afterwards, and of the part of the way that they are to go, a number
        in (0, 1]. It returns the new averages,
        `average + part * (weight - average)`.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # A partial, since TensorFlow warns of functions that several models
        # trace by their code. The graph reads the variables itself.
        move = functools.partial(_moved, values=read())
        graph = tf.function(move, autograph=False)
        return lambda averages, part: graph(averages, tf.constant(part))
    if backend == "jax":
        return lambda averages, part: _on_jax()(averages, part, read())
    if backend == "torch":
        return lambda averages, part: _on_torch(averages, part, read())
    return lambda averages, part: _moved(averages, part, read())


def _moved(averages, part, values):
    return [
        average
        + ops.cast(part, average.dtype)
        * (ops.cast(value, average.dtype) - average)
        for average, value in zip(averages, values, strict=True)
    ]


@functools.cache
def _on_jax():
    import jax

    return jax.jit(_moved, donate_argnums=0)


def _on_torch(averages, part, values):
    import torch

    with torch.no_grad():
        values = [
            value.to(average.dtype)
            for average, value in zip(averages, values, strict=True)
        ]
        torch._foreach_lerp_(averages, values, part)
    return averages

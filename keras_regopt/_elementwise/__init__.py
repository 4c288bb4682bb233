"""Random formulas of each element of a tensor, in one pass over it.

A formula is a function of the elements, of one random integer for each and of
a few numbers. Written in operations of TensorFlow or torch, each of which
passes over the memory, the hash would cost more than all else. So on TensorFlow
a formula is a function that XLA compiles by itself, within graphs that it does
not compile otherwise, on JAX it is left to the compiler, and on torch it runs
over blocks that stay in the cache. The gradient is a formula, too, which draws
the same numbers again.
"""

import math

import keras

from keras_regopt._elementwise import formulas
from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_tf_graph, is_in_jax_tracing_scope

# A limit of `dropped` counts steps of this size.
_STEPS = 2**24


def bits(key, shape):
    """Integers, all equally likely.

    Args:
        key: What `_random.next_key` returned.
        shape: Tuple of integers and, where a size is not known, tensors.

    Returns:
        Int32 tensor of the shape.
    """
    return _drawn(formulas.integers, key, shape, "int32")


def uniforms(key, shape):
    """Numbers from 0 up to, but not with, 1, as a float32 tensor."""
    return _drawn(formulas.uniforms, key, shape, "float32")


def normals(key, shape):
    """Numbers with a normal distribution, as a float32 tensor."""
    return _drawn(formulas.normals, key, shape, "float32")


def logistics(key, shape):
    """Numbers with a logistic distribution, as a float32 tensor."""
    return _drawn(formulas.logistics, key, shape, "float32")


def dropped(x, key, rate, kept=None, fill=0.0):
    """Each element as it was kept, or what stands for one that is dropped.

    Args:
        x: A tensor of floats.
        key: What `_random.next_key` returned.
        rate: Probability of a drop in [0, 1], in steps of `2 ** -24`: a number,
            or a scalar tensor or variable.
        kept: Pair of numbers: what is kept is multiplied by the first, and the
            second is added. Defaults to `None`, which is
            `(1 / (1 - rate), 0)`: dropout, which keeps the mean.
        fill: What stands for an element that is dropped.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    rate = number(rate)
    if isinstance(rate, float):
        scale = 1 / (1 - rate) if rate < 1 else 0.0
        limit = math.ceil(rate * _STEPS) - 1.0 - _STEPS // 2
    else:
        # Never infinite: that times a gradient of zero is no number.
        scale = 1 / ops.maximum(1 - rate, 2.0**-24)
        limit = ops.ceil(rate * float(_STEPS)) - 1.0 - _STEPS // 2
    scale, shift = (scale, 0.0) if kept is None else kept
    return transformed(formulas.dropped, x, key, limit, scale, shift, fill)


def scaled_by_normals(x, key, stddev):
    """Each element times a normal number of mean 1."""
    return transformed(formulas.scaled, x, key, number(stddev))


def with_normals_added(x, key, stddev):
    """Each element plus a normal number of mean 0."""
    return transformed(formulas.shifted, x, key, number(stddev))


def number(value):
    """A plain number as a float, a variable as a scalar float32 tensor."""
    if isinstance(value, (int, float)):
        return float(value)
    return ops.cast(ops.convert_to_tensor(value), "float32")


def transformed(formula, x, key, *numbers):
    """Computes a formula of each element.

    Args:
        formula: One of `formulas`.
        x: A tensor. Half precision is computed in float32.
        key: What `_random.next_key` returned.
        *numbers: Floats, or scalar tensors.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    x = ops.convert_to_tensor(x)
    backend = keras.backend.backend()
    if backend == "tensorflow" or (
        in_tf_graph() and not is_in_jax_tracing_scope()
    ):
        from keras_regopt._elementwise import on_tensorflow

        return on_tensorflow.transformed(formula, x, key, numbers)
    if backend == "torch":
        from keras_regopt._elementwise import on_torch

        return on_torch.transformed(formula, x, key, numbers)
    from keras_regopt._elementwise import on_jax

    return on_jax.transformed(formula, x, key, numbers)


def _drawn(formula, key, shape, dtype):
    # Nothing is read of these zeros, and compilers leave them out.
    return transformed(formula, ops.zeros(shape, dtype=dtype), key)

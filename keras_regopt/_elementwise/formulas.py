"""The formulas, and the gradient of each."""

import functools
import inspect

import keras

from keras_regopt import _random
from keras_regopt._keras import data_ops as ops

# Keeps logarithms finite.
_EPSILON = 1e-7


def dropped(x, bits, limit, scale, shift, fill):
    """Keeps what draws more than a limit, from -2 ** 23 to 2 ** 23."""
    kept = ops.cast(ops.right_shift(bits, 8), x.dtype) > limit
    return ops.where(kept, x * scale + shift, fill)


def scaled(x, bits, stddev):
    """Times normal numbers of mean 1."""
    return x * (1 + stddev * ops.cast(_random.normals_of(bits), x.dtype))


def shifted(x, bits, stddev):
    """Plus normal numbers of mean 0."""
    return x + stddev * ops.cast(_random.normals_of(bits), x.dtype)


def integers(x, bits):
    """The random integers themselves."""
    return bits


def uniforms(x, bits):
    """From 0 to 1."""
    return _random.uniforms_of(bits)


def logistics(x, bits):
    """With a logistic distribution: logarithms of the odds of uniform ones."""
    u = _random.uniforms_of(bits)
    return ops.log((u + _EPSILON) / (1 - u + _EPSILON))


def normals(x, bits):
    """Of mean 0 and variance 1."""
    return _random.normals_of(bits)


# What makes the gradient of the input from that of the output: a formula, and
# its numbers from those that the formula was called with. `None` where it
# passes as it is.
GRADIENTS = {
    dropped: (dropped, lambda limit, scale, *_: (limit, scale, 0.0, 0.0)),
    scaled: (scaled, lambda stddev: (stddev,)),
    shifted: None,
}


@functools.cache
def count_of_numbers(formula):
    """How many numbers a formula takes besides elements and integers."""
    return len(inspect.signature(formula).parameters) - 2


def compute_dtype(dtype):
    """What elements of a dtype are computed in."""
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def computed(formula, x, key, numbers):
    """A formula in plain operations, for a flat tensor."""
    wide = ops.cast(x, compute_dtype(x.dtype))
    position = ops.arange(ops.shape(x)[0], dtype="int32")
    drawn = _random.hashed(position, *_random.words(key))
    return ops.cast(formula(wide, drawn, *numbers), x.dtype)

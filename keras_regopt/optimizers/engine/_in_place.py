"""Order of reads and writes on JAX, whose compiler else copies what is read.

XLA writes a new value into the memory of the old one only where it sees that
all who read the old one come before. It sees this by what is computed from
what, and not by the order of the lines.
"""

import math

import keras


def on_one_cpu():
    """Whether JAX computes on a CPU, and no array is spread over devices."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    # An entry or a slice of an array that is spread would gather it.
    spread = keras.distribution.distribution() is not None
    return jax.default_backend() == "cpu" and not spread


def after_reads(scalar, *results):
    """A scalar that cannot be known before the results are.

    What is computed from it is written after all that the results read.

    Args:
        scalar: A tensor or a number, whose value stays.
        *results: Tensors.

    Returns:
        The tensor or number.
    """
    if on_one_cpu():
        for result in results:
            if math.prod(result.shape):
                scalar = _unless_below_all(scalar, result.reshape(-1)[0])
    return scalar


def after_totals(vector, totals):
    """The same of a vector and of what `totals` of the optimizer returned."""
    return _unless_below_all(vector, totals.sum()) if on_one_cpu() else vector


def _unless_below_all(x, number):
    """What `x` is, since no number is below all; the compiler cannot know."""
    import jax.numpy as jnp

    return jnp.where(number < -jnp.inf, jnp.zeros_like(x), x)

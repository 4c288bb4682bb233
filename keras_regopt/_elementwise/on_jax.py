"""Random formulas of each element on JAX, whose compiler fuses them."""

import functools

import jax

from keras_regopt._elementwise.formulas import computed


@functools.partial(jax.jit, static_argnums=0)
def transformed(formula, x, key, numbers):
    """Computes a formula of each element; see `_elementwise.transformed`."""
    return computed(formula, x.reshape(-1), key, numbers).reshape(x.shape)

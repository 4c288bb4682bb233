"""Draws from beta distributions, which every compiler can take."""

import keras
import numpy as np
import scipy.stats

_STEPS = 4096


def beta_quantiles(alpha, beta=None):
    """The quantile function of Beta(alpha, beta), as a table.

    Args:
        alpha: The first parameter of the distribution, a number > 0.
        beta: The second one. Defaults to `None`: the same.

    Returns:
        A float32 array of values at even steps from 0 to 1.
    """
    steps = np.linspace(0, 1, _STEPS + 1)
    beta = alpha if beta is None else beta
    return scipy.stats.beta.ppf(steps, alpha, beta).astype("float32")


def at_quantile(table, u, ops=keras.ops):
    """Reads the table between its steps.

    TensorFlow cannot compile draws from a gamma distribution, of which a beta
    one is made; a number from 0 to 1 and a table can be drawn from everywhere.

    Args:
        table: What `beta_quantiles` returned.
        u: Tensor of numbers in [0, 1).
        ops: What to compute with, where that is not Keras' backend.

    Returns:
        A tensor of the shape of `u`, distributed as the table says if `u` is
        uniform.
    """
    table = ops.convert_to_tensor(table)
    position = u * _STEPS
    index = ops.clip(ops.cast(position, "int32"), 0, _STEPS - 1)
    fraction = position - ops.cast(index, u.dtype)
    low, high = ops.take(table, index), ops.take(table, index + 1)
    return low + fraction * (high - low)

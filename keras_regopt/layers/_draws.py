"""What the layers draw."""

import keras
from keras import ops


def uniforms(layer, shape):
    """Numbers from 0 to 1, whatever precision a layer computes in.

    Args:
        layer: The layer, whose generator counts on.
        shape: Tuple of integers and, where a size is not known, tensors.

    Returns:
        A float32 tensor.
    """
    return keras.random.uniform(
        shape, seed=layer.seed_generator, dtype="float32"
    )


def dropout_factors(layer, shape, dtype):
    """Zero with the probability `layer.rate`, else what keeps the mean at one.

    Args:
        layer: The layer, with its `rate` and its generator.
        shape: Tuple of integers and, where a size is not known, tensors.
        dtype: The dtype of the factors.

    Returns:
        A tensor of `dtype`.
    """
    kept = uniforms(layer, shape) >= layer.rate
    return ops.cast(ops.where(kept, 1 / (1 - layer.rate), 0.0), dtype)

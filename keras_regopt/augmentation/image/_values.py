"""From the values of images to floats to compute with, and back.

For what is faster if it goes back to bytes by itself, before its parts are
put together, than if it left that to the base.
"""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._base import _limits


def as_floats(images):
    """Images in float64 if that is what came, else in float32."""
    wide = _dtype(images) == "float64"
    return ops.cast(images, "float64" if wide else "float32")


def as_came(values, images, value_range):
    """Values within a range, in the dtype of the images that they came from.

    Args:
        values: Float tensor.
        images: The tensor whose dtype the result takes; integers are rounded.
        value_range: The pair of the lowest and the highest value.

    Returns:
        A tensor of the shape of `values`.
    """
    dtype = _dtype(images)
    low, high = value_range
    if not keras.backend.is_float_dtype(dtype):
        values = ops.round(values)
        lowest, highest = _limits(dtype)
        low, high = max(low, lowest), min(high, highest)
    return ops.cast(ops.clip(values, low, high), dtype)


def _dtype(images):
    return keras.backend.standardize_dtype(images.dtype)

"""From the values of images to floats to compute with, and back.

For what is faster if it goes back to bytes by itself, before its parts are
put together, than if it left that to the base.
"""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._layout import limits


def as_floats(images):
    """Images in float64 if that is their dtype, else in float32."""
    double = keras.backend.standardize_dtype(images.dtype) == "float64"
    return ops.cast(images, "float64" if double else "float32")


def in_dtype_of(values, images, value_range=None):
    """Values in the dtype of the images that they belong to.

    Args:
        values: Float tensor.
        images: The tensor whose dtype the result takes. Integers are rounded
            and held within their bounds.
        value_range: The pair of the lowest and the highest value that the
            result may have. Defaults to `None`, no such limits.

    Returns:
        A tensor of the shape of `values`.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    bounds = [] if value_range is None else [value_range]
    if not keras.backend.is_float_dtype(dtype):
        values = ops.round(values)
        bounds.append(limits(dtype))
    if bounds:
        lows, highs = zip(*bounds, strict=True)
        values = ops.clip(values, max(lows), min(highs))
    return ops.cast(values, dtype)

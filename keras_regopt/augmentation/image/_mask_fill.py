"""The class of what lies beyond the frame of a mask."""

import keras

from keras_regopt._validate import fail
from keras_regopt.augmentation._layout import limits


def mask_fill(layer, masks):
    """`mask_fill_value` of a layer, for masks that can hold it.

    Raises:
        ValueError: If they cannot; it would wrap around to another class.
    """
    value = layer.mask_fill_value
    dtype = keras.backend.standardize_dtype(masks.dtype)
    if keras.backend.is_float_dtype(dtype):
        return value
    low, high = limits(dtype)
    if not low <= value <= high or value != int(value):
        fail(
            layer,
            "mask_fill_value",
            f"one of the whole numbers that {dtype}, the dtype of the masks, "
            "can hold",
            value,
        )
    return value

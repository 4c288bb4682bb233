"""Whether data are in the `value_range` for which a layer was made."""

import keras

from keras_regopt._keras import data_ops
from keras_regopt.augmentation._looking import look_until_settled
from keras_regopt.augmentation._told import warn_once

# Data made for -1 to 1 may overshoot a little, after a bicubic resizing say.
LARGEST_UNIT = 1.5

# Ranges that end at this, or above, are of bytes or of more bits.
SMALLEST_LEVELS = 100


def look_at_range(layer, ranged, tensor):
    """Warns of data that do not fit `value_range`, once for a layer.

    These are values beyond it, and values within -1 to 1 where it ends at
    255, or at more. Data that are all one number do not tell; then the next
    ones are looked at.

    Args:
        layer: The layer that is called, in training.
        ranged: The layers in it that compute with their `value_range`.
        tensor: The data.
    """
    if 0 in tensor.shape:
        return
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    is_float = keras.backend.is_float_dtype(dtype)

    def extremes():
        # Not every backend orders truth values.
        values = data_ops.cast(tensor, "uint8") if dtype == "bool" else tensor
        return [data_ops.min(values), data_ops.max(values)]

    def judge(least, most):
        unfit = [x for x in ranged if _remark(x, least, most)]
        if unfit:
            message = _message(layer, unfit, is_float, least, most)
            warn_once(layer, "value_range", message)
        return bool(unfit) or least != most

    look_until_settled(layer, "range seen", tensor, extremes, judge)


def _remark(layer, least, most):
    """What is wrong with some extremes under a range, or nothing."""
    low, high = layer.value_range
    unit = max(abs(least), abs(most)) <= LARGEST_UNIT
    if unit and least != most and high >= SMALLEST_LEVELS:
        return f"which ends at {high:g}"
    # What a layer before has interpolated may be off by the rounding.
    slack = layer.range_tolerance * (high - low)
    if least < low - slack or most > high + slack:
        return "beyond which they reach"
    return ""


def _message(layer, unfit, is_float, least, most):
    first = unfit[0]
    names = ", ".join(dict.fromkeys(type(x).__name__ for x in unfit))
    return (
        f"The {layer.key} that {names} got reach from {least:g} to {most:g}, "
        f"and the `value_range` is {first.value_range}, "
        f"{_remark(first, least, most)}. "
        "What comes out is wrong. Set `value_range` to the range that the "
        f"{layer.key} can have{_suggestion(is_float, least, most)}."
    )


def _suggestion(is_float, least, most):
    if max(abs(least), abs(most)) <= LARGEST_UNIT:
        value_range = (-1, 1) if least < -0.01 else (0, 1)
    elif least >= 0 and most <= 255:
        value_range = (0, 255)
    elif least >= 0 and most <= 65535 and not is_float:
        return ", for 16 bits `value_range=(0, 65535)`"
    else:
        return ""
    return f", such as `value_range={value_range}`"

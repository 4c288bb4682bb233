"""The operations that policies are made of, on bytes or on levels.

Images are bytes here, or floats in levels, of which black is 0 and white 255.
Each operation takes an amount for each image, in its own unit:

- `shear_x`, `shear_y`: pixels along one axis for each pixel along the other;
- `translate_x`, `translate_y`: pixels;
- `rotate`: degrees, counterclockwise;
- `brightness`, `color`, `contrast`, `sharpness`: the factor of Pillow's
  `ImageEnhance`, at which 1 changes nothing and 0 leaves black, grey tones, an
  even grey or a smooth image;
- `posterize`: how many of the eight bits are kept;
- `solarize`: the level from which on levels are inverted;
- `autocontrast`, `equalize`, `invert`, `identity`: none.
"""

import math

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of
from keras_regopt.augmentation.image.functional import _matrices, _tables
from keras_regopt.augmentation.image.functional._color_matrix import (
    LUMA,
    channels_of,
    mean_luma,
)
from keras_regopt.augmentation.image.functional._sharpness import sharpened

LEVELS = (0, 255)


def _identity(images, amount):
    return images


def _brightness(images, amount):
    return _blended(images, lambda levels: 0.0, amount)


def _color(images, amount):
    return _blended(images, _gray, amount)


def _contrast(images, amount):
    return _blended(
        images,
        lambda levels: _tables.per_image(mean_luma(levels), levels),
        amount,
    )


def _sharpness(images, amount):
    return sharpened(images, amount - 1, LEVELS)


def _posterize(images, amount):
    bits = ops.round(amount)
    return in_dtype_of(
        _tables.posterize(as_floats(images), bits), images, LEVELS
    )


def _solarize(images, amount):
    return in_dtype_of(
        _tables.solarize(as_floats(images), amount), images, LEVELS
    )


def _autocontrast(images, amount):
    levels = as_floats(images)
    levels = _tables.autocontrast(levels, *_tables.extremes(levels))
    return in_dtype_of(levels, images, LEVELS)


def _equalize(images, amount):
    levels = _tables.whole_levels(images, LEVELS)
    table = _tables.equalize(_tables.histogram(levels))
    return _tables.lookup(images, table)


def _invert(images, amount):
    return in_dtype_of(_tables.invert(as_floats(images)), images, LEVELS)


POINTWISE = {
    "identity": _identity,
    "brightness": _brightness,
    "color": _color,
    "contrast": _contrast,
    "sharpness": _sharpness,
    "posterize": _posterize,
    "solarize": _solarize,
    "autocontrast": _autocontrast,
    "equalize": _equalize,
    "invert": _invert,
}

# Those whose amount is a factor, which 1 leaves the image as it is.
FACTORS = ("brightness", "color", "contrast", "sharpness")

GEOMETRIC = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")


def matrices(names, numbers, amounts, height, width):
    """The matrices of the warps that geometric operations are.

    They are those of Pillow: a shear leaves the top left corner where it is,
    a rotation the center. Positive amounts shift an image to the left or up.

    Args:
        names: List of names of operations.
        numbers: Integer tensor of shape `(batch,)`: which of the names each
            image gets.
        amounts: Float32 tensor of shape `(batch,)`.
        height: Height of the images.
        width: Width of the images.

    Returns:
        A float32 tensor of shape `(batch, 3, 3)`; for operations that are not
        geometric, the identity.
    """

    def amount_of(operation):
        here = np.array([name == operation for name in names])
        here = ops.take(ops.convert_to_tensor(here), numbers, axis=0)
        return ops.where(here, amounts, 0.0)

    shear_x, shear_y, right, down, angle = map(amount_of, GEOMETRIC)
    angle = angle * (math.pi / 180)
    cosine, sine = ops.cos(angle), ops.sin(angle)
    center_x = (ops.cast(width, "float32") - 1) / 2
    center_y = (ops.cast(height, "float32") - 1) / 2
    return _matrices.affine(
        cosine,
        shear_x - sine,
        # A shear is about the corner, half a pixel from the first center.
        center_x * (1 - cosine) + center_y * sine + shear_x / 2 + right,
        shear_y + sine,
        cosine,
        center_y * (1 - cosine) - center_x * sine + shear_y / 2 + down,
    )


def _blended(images, end, amount):
    """Images moved away from what lies at the amount of 0, or towards it."""
    levels = as_floats(images)
    at_zero, weight = end(levels), _tables.per_image(amount, levels)
    blended = at_zero + weight * (levels - at_zero)
    channels = channels_of(images)
    if channels == 4:
        # The fourth is no color.
        blended = ops.where(ops.arange(channels) < 3, blended, levels)
    return in_dtype_of(blended, images, LEVELS)


def _gray(levels):
    """The luma of every pixel; images without colors are grey already."""
    if channels_of(levels) not in (3, 4):
        return levels
    red, green, blue = (levels[..., i : i + 1] * LUMA[i] for i in range(3))
    return red + green + blue

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

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.image import _color_matrix, _matrices, _tables
from keras_regopt.augmentation.image._sharpness import sharpened
from keras_regopt.augmentation.image._values import as_came, as_floats

LEVELS = (0, 255)


def _identity(images, amount):
    return images


def _brightness(images, amount):
    return _colored(images, brightness=amount)


def _color(images, amount):
    return _colored(images, saturation=amount)


def _contrast(images, amount):
    return _colored(images, contrast=amount)


def _sharpness(images, amount):
    return sharpened(images, amount - 1, LEVELS)


def _posterize(images, amount):
    bits = ops.round(amount)
    return as_came(_tables.posterize(as_floats(images), bits), images, LEVELS)


def _solarize(images, amount):
    return as_came(_tables.solarize(as_floats(images), amount), images, LEVELS)


def _autocontrast(images, amount):
    levels = as_floats(images)
    levels = _tables.autocontrast(levels, *_tables.extremes(levels))
    return as_came(levels, images, LEVELS)


def _equalize(images, amount):
    levels = _tables.as_bytes(as_floats(images))
    table = _tables.equalize(_tables.histogram(levels))
    return _tables.lookup(levels, ops.cast(table, images.dtype))


def _invert(images, amount):
    return as_came(_tables.invert(as_floats(images)), images, LEVELS)


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

    They are those of Pillow: a shear leaves the top left corner in its place,
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

    def amount_of(name):
        if name not in names:
            return 0.0 * amounts
        return ops.where(numbers == names.index(name), amounts, 0.0)

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


def _colored(images, brightness=1.0, contrast=None, saturation=1.0):
    levels = as_floats(images)
    channels = _color_matrix.channels_of(levels)
    offset = ops.zeros((1, channels), "float32")
    if contrast is not None:
        luma = _color_matrix.mean_luma(levels)
        offset = _color_matrix.contrast_offset(channels, 1.0, contrast, luma)
    matrix = _color_matrix.color_matrix(
        channels, brightness, 1.0 if contrast is None else contrast, saturation
    )
    levels = _color_matrix.apply_color(levels, matrix, offset, LEVELS)
    return as_came(levels, images, LEVELS)

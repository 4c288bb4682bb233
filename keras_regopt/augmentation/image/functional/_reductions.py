"""Sums and extremes over the pixels of each image, at the speed of memory."""

import functools

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.image._values import as_floats

# XLA does not vectorize a reduction, but it does vectorize what combines
# whole parts of an image with each other, after which little is left.
PARTS = 16


def pixel_sum(images):
    """The sums of each image and channel, in floats.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, channels)`.
    """
    # The parts are cast, not the whole, which would be written to memory.
    return _reduced(images, ops.add, ops.sum, as_floats)


def pixel_max(images):
    """The highest value of each image and channel; see `pixel_sum`."""
    return _reduced(images, ops.maximum, ops.max)


def pixel_min(images):
    """The lowest value of each image and channel; see `pixel_sum`."""
    return _reduced(images, ops.minimum, ops.min)


def _reduced(images, combine, reduce, prepared=lambda part: part):
    _, height, width, channels = images.shape
    if None in (height, width, channels) or height * width < PARTS**2:
        return reduce(prepared(images), axis=(1, 2))
    flat = ops.reshape(images, (-1, height * width * channels))
    size = height * width // PARTS * channels
    parts = [flat[:, i * size : (i + 1) * size] for i in range(PARTS)]
    total = functools.reduce(combine, map(prepared, parts))
    result = _of_pixels(total, channels, reduce)
    rest = flat[:, PARTS * size :]
    if rest.shape[1]:
        rest = _of_pixels(prepared(rest), channels, reduce)
        result = combine(result, rest)
    return result


def _of_pixels(flat, channels, reduce):
    pixels = flat.shape[1] // channels
    return reduce(ops.reshape(flat, (-1, pixels, channels)), axis=1)

"""Brightness, contrast, saturation and hue, as one matrix and an offset.

None of the four clips, and so their order does not matter: the mean luma that
contrast turns about scales with the brightness, and neither saturation nor
hue changes the luma of a pixel. One after another, two of a kind multiply
their factors, and two hues add up.
"""

import math

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of
from keras_regopt.augmentation.image.functional._reductions import pixel_sum

# Of red, green and blue, by ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)


def color_matrix(channels, brightness=1.0, contrast=1.0, saturation=1.0, hue=0):
    """The matrices that change the colors of a batch.

    Args:
        channels: The number of channels. Three are RGB; a fourth passes
            unchanged. With any other number, saturation and hue do nothing.
        brightness: Float32 tensor of shape `(batch,)`, or a number for all
            images: the factor of all values. At 1 nothing changes.
        contrast: Like `brightness`: the factor of the distance from the mean
            luma of the image. The offset of `contrast_offset` belongs to it.
        saturation: Like `brightness`: the factor of the distance from the
            grey of the same luma.
        hue: Like `brightness`: a fraction of a full turn about the axis of
            greys, at equal luma; positive from red to yellow to green.

    Returns:
        A tensor of shape `(batch, channels, channels)`, or with a batch of 1
        if all are numbers. Row `i` makes output channel `i`.
    """
    gray, turn, extra = _generators(channels)
    scale = _column(brightness) * _column(contrast)
    chroma = scale * _column(saturation)
    angle = 2 * math.pi * _column(hue)
    others = np.eye(channels, dtype="float32") - gray - extra
    return (
        scale * gray
        + chroma * (ops.cos(angle) * others + ops.sin(angle) * turn)
        + extra
    )


def contrast_offset(channels, brightness, contrast, luma):
    """The offset that belongs to a matrix, with black at 0.

    Args:
        channels: The number of channels.
        brightness: What `color_matrix` got.
        contrast: What `color_matrix` got.
        luma: The mean luma of each image, black at 0, of shape `(batch,)`.

    Returns:
        A tensor of shape `(batch, channels)`.
    """
    offset = brightness * (1 - contrast) * luma
    _, _, extra = _generators(channels)
    return offset[:, None] * (1 - np.diagonal(extra))[None]


def mean_luma(images):
    """The mean luma of each image.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`. Of three
            or four channels, the first are RGB; of any other number, all
            count alike.

    Returns:
        A float tensor of shape `(batch,)`.
    """
    _, height, width, _ = ops.shape(images)
    sums = pixel_sum(images)
    means = sums / ops.cast(height * width, sums.dtype)
    if channels_of(images) not in (3, 4):
        return ops.mean(means, axis=-1)
    red, green, blue = (means[:, i] * LUMA[i] for i in range(3))
    return red + green + blue


def apply_color(images, matrix, offset, value_range):
    """Multiplies every pixel by the matrix of its image, and clips once.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        matrix: What `mix_channels` takes.
        offset: Tensor of shape `(batch, channels)`, with black at 0.
        value_range: The pair of the values of black and of full intensity.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.
    """
    black = value_range[0]
    values = mix_channels(as_floats(images) - black, matrix)
    offset = ops.cast(offset, values.dtype)[:, None, None]
    return in_dtype_of(values + (offset + black), images, value_range)


def mix_channels(values, matrix):
    """Multiplies every pixel by the matrix of its image.

    Args:
        values: Float tensor of shape `(batch, height, width, channels)`.
        matrix: Tensor of shape `(batch, channels, channels)`, or
            `(batch, channels)` if it is diagonal.

    Returns:
        A tensor like `values`.
    """
    matrix = ops.cast(matrix, values.dtype)[:, None, None]
    if len(matrix.shape) == 4:
        return values * matrix
    # Not as a product of matrices: these are too small to be fast at that.
    result = 0.0
    for j in range(channels_of(values)):
        result = result + values[..., j : j + 1] * matrix[..., j]
    return result


def channels_of(images):
    """The number of channels; images that do not tell theirs are RGB."""
    return images.shape[-1] or 3


def _generators(channels):
    """Three matrices: the grey of a pixel, a quarter turn, other channels.

    The turn is that of the plane of the color differences of BT.601,
    `(0.492 (B - Y), 0.877 (R - Y))`, whose axes are those of YIQ turned.
    """
    if channels not in (3, 4):
        nothing = np.zeros((channels, channels), "float32")
        return np.eye(channels, dtype="float32"), nothing, nothing
    luma = np.array(LUMA)
    gray = np.tile(luma, (3, 1))
    to_plane = np.stack(
        [0.492 * (np.eye(3)[2] - luma), 0.877 * (np.eye(3)[0] - luma)]
    )
    back = np.linalg.inv(np.stack([luma, *to_plane]))[:, 1:]
    turn = back @ np.array([[0, -1], [1, 0]]) @ to_plane
    pad = ((0, channels - 3), (0, channels - 3))
    extra = np.diag([0.0] * 3 + [1.0] * (channels - 3))
    return tuple(
        m.astype("float32")
        for m in (np.pad(gray, pad), np.pad(turn, pad), extra)
    )


def _column(factor):
    """Factors, ready to be multiplied by matrices."""
    factor = ops.convert_to_tensor(factor, "float32")
    return ops.reshape(factor, (-1, 1, 1))

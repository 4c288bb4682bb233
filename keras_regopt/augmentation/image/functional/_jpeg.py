"""What JPEG makes of an image, step by step as libjpeg computes it.

Only the steps that lose something: the lossless coding of the numbers is left
out. Where libjpeg rounds to integers, so does this.
"""

import numpy as np

from keras_regopt._keras import data_ops as ops

# The tables K.1 and K.2 of the standard, for quality 50.
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)


def _cosine_transform():
    """The transform of a block of 8x8, row by row, as one matrix."""
    frequency, position = np.mgrid[:8, :8]
    one = np.cos((2 * position + 1) * frequency * np.pi / 16) / 2
    one[0] /= np.sqrt(2)
    return np.kron(one, one).astype("float32")


TRANSFORM = _cosine_transform()

# From light and two differences of color to red, green and blue.
TO_COLORS = np.array(
    [[1, 1, 1], [0, -0.344136286, 1.772], [1.402, -0.714136286, 0]], "float32"
)


def color_round_trip(levels, quality, subsampling):
    """Codes and decodes images in color.

    Args:
        levels: Float tensor of whole numbers from 0 to 255, of shape
            `(batch, height, width, 3)`.
        quality: Float tensor of whole numbers from 1 to 100, of shape
            `(batch,)`.
        subsampling: Whether color has half the height and width.

    Returns:
        A tensor like `levels`.
    """
    red, green, blue = (levels[..., channel] for channel in range(3))
    light = ops.round(0.299 * red + 0.587 * green + 0.114 * blue)
    cb = -0.168735892 * red - 0.331264108 * green + 0.5 * blue
    cr = 0.5 * red - 0.418687589 * green - 0.081312411 * blue
    light = gray_round_trip(light, quality)
    table = _table(CHROMINANCE, quality)
    cb, cr = (
        _color_coded(ops.round(color + 128), table, subsampling) - 128
        for color in (cb, cr)
    )
    # As a product of matrices: XLA would compute the planes again for each of
    # three sums.
    planes = ops.reshape(ops.stack([light, cb, cr], axis=-1), (-1, 3))
    colors = ops.matmul(planes, ops.cast(TO_COLORS, planes.dtype))
    return _whole(ops.reshape(colors, ops.shape(levels)))


def gray_round_trip(plane, quality):
    """Codes and decodes images of one channel.

    Args:
        plane: Float tensor of whole numbers from 0 to 255, of shape
            `(batch, height, width)`.
        quality: As for `color_round_trip`.

    Returns:
        A tensor like `plane`.
    """
    return _coded(plane, _table(LUMINANCE, quality))


def _table(base, quality):
    """The divisors for each image, of shape `(batch, 1, 64)`."""
    base = ops.reshape(ops.cast(base, quality.dtype), (1, 1, 64))
    scale = ops.where(
        quality < 50, ops.floor(5000 / quality), 200 - 2 * quality
    )
    divisors = ops.floor((base * scale[:, None, None] + 50) / 100)
    return ops.clip(divisors, 1, 255)


def _color_coded(plane, table, subsampling):
    if not subsampling:
        return _coded(plane, table)
    _, height, width = ops.shape(plane)
    # libjpeg repeats the last column before it takes means, up to a whole
    # block of these, but the last row only up to an even count.
    plane = _extended(_extended(plane, 2, 16), 1, 2)
    small = _coded(_halved(plane), table)
    small = small[:, :, : (width + 1) // 2]
    return _doubled(small)[:, :height, :width]


def _coded(plane, table):
    """A plane after transform, division and rounding, and back."""
    _, height, width = ops.shape(plane)
    plane = _extended(_extended(plane, 2, 8), 1, 8)
    _, rows, columns = ops.shape(plane)
    blocks = ops.reshape(plane - 128, (-1, rows // 8, 8, columns // 8, 8))
    blocks = ops.transpose(blocks, (0, 1, 3, 2, 4))
    shape = (-1, (rows // 8) * (columns // 8), 64)
    matrix = ops.cast(TRANSFORM, plane.dtype)
    parts = ops.matmul(ops.reshape(blocks, shape), ops.transpose(matrix))
    # Half a step is rounded away from zero, and is frequent.
    steps = ops.sign(parts) * ops.floor(ops.abs(parts) / table + 0.5)
    blocks = ops.matmul(steps * table, matrix)
    blocks = ops.reshape(blocks, (-1, rows // 8, columns // 8, 8, 8))
    blocks = ops.transpose(blocks, (0, 1, 3, 2, 4))
    plane = _whole(ops.reshape(blocks, (-1, rows, columns)) + 128)
    return plane[:, :height, :width]


def _halved(plane):
    """Means of two by two, rounded down and up by turns."""
    rows = plane[:, ::2] + plane[:, 1::2]
    sums = rows[:, :, ::2] + rows[:, :, 1::2]
    bias = 1 + ops.arange(ops.shape(sums)[2]) % 2
    return ops.floor((sums + ops.cast(bias, sums.dtype)) / 4)


def _doubled(plane):
    """Weighs the nearest three to one with the next, along both axes."""
    rows = _interleaved(plane, 1, 0, 0)
    return ops.floor(_interleaved(rows, 2, 8, 7) / 16)


def _interleaved(plane, axis, first_bias, second_bias):
    """Three times the value plus that before it, then plus that after it."""
    size = ops.shape(plane)[axis]
    start = (slice(None),) * axis
    first = plane[(*start, slice(1))]
    last = plane[(*start, slice(size - 1, size))]
    before = [first, plane[(*start, slice(size - 1))]]
    after = [plane[(*start, slice(1, size))], last]
    before, after = (ops.concatenate(x, axis) for x in (before, after))
    both = ops.stack(
        [3 * plane + before + first_bias, 3 * plane + after + second_bias],
        axis=axis + 1,
    )
    shape = list(ops.shape(plane))
    shape[axis] = 2 * size
    return ops.reshape(both, (-1, *shape[1:]))


def _extended(plane, axis, multiple):
    """Repeats the last row or column up to a whole multiple of a size."""
    size = ops.shape(plane)[axis]
    missing = -size % multiple
    if isinstance(missing, int) and missing == 0:
        return plane
    last = plane[(slice(None),) * axis + (slice(size - 1, size),)]
    return ops.concatenate([plane, ops.repeat(last, missing, axis)], axis)


def _whole(levels):
    return ops.clip(ops.round(levels), 0, 255)

"""Operations on single values, on images or as tables of 256 entries.

Images are in levels here: floats from 0 to 255, of shape
`(batch, height, width, channels)`. `ramp` is the image of all levels. What an
operation makes of it is the table of the operation, and what operations one
after another make of it is one table for all, to be read by `lookup`.
Parameters have the shape `(batch,)`, or `(batch, channels)`.
"""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._gather import rows_at
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of
from keras_regopt.augmentation.image.functional._reductions import (
    pixel_max,
    pixel_min,
)

LEVELS = 256


def ramp():
    """All levels, as an image of shape `(1, 1, 256, 1)`."""
    return ops.reshape(ops.arange(LEVELS, dtype="float32"), (1, 1, -1, 1))


def to_levels(values, value_range):
    """Levels of the floats of images."""
    low, high = value_range
    if (low, high) == (0, LEVELS - 1):
        return values
    return (values - low) * ((LEVELS - 1) / (high - low))


def from_levels(levels, value_range):
    """The reverse of `to_levels`."""
    low, high = value_range
    if (low, high) == (0, LEVELS - 1):
        return levels
    return levels * ((high - low) / (LEVELS - 1)) + low


def are_bytes(images, value_range):
    """Whether the values of images are the 256 levels themselves."""
    dtype = keras.backend.standardize_dtype(images.dtype)
    return dtype == "uint8" and tuple(value_range) == (0, LEVELS - 1)


def whole_levels(images, value_range):
    """The nearest of the 256 levels; bytes stay bytes."""
    if are_bytes(images, value_range):
        return images
    return as_bytes(to_levels(as_floats(images), value_range))


def table_of(*operations):
    """The table of operations one after another, rounded after each.

    Args:
        *operations: Functions of levels, such as
            `lambda levels: solarize(levels, threshold)`.

    Returns:
        Float32 tensor of whole numbers from 0 to 255, of shape
        `(batch, 1, 256, channels)`; a size is 1 where it is the same for all.
    """
    table = ramp()
    for operation in operations:
        table = as_bytes(operation(table))
    return table


def as_bytes(levels):
    """The nearest whole levels from 0 to 255, still as floats."""
    return ops.clip(ops.round(levels), 0, LEVELS - 1)


def invert(levels):
    """Black becomes white."""
    return LEVELS - 1 - levels


def solarize(levels, threshold):
    """Inverts the levels from `threshold` on, a number from 0 to 256."""
    threshold = per_image(threshold, levels)
    return ops.where(levels >= threshold, invert(levels), levels)


def posterize(levels, bits):
    """Keeps the highest of the eight bits: 0 leaves black, 8 everything."""
    # Not `exp2` or `power`, of which compilers make inexact ones.
    step = ops.ones_like(ops.cast(bits, "float32"))
    for bit in range(8):
        step = step * ops.where(bits > bit, 1.0, 2.0)
    step = per_image(step, levels)
    # A thousandth more, for levels that fell just short of a whole number.
    return ops.floor((levels + 1e-3) / step) * step


def gamma_correct(levels, gamma):
    """`255 * (level / 255) ** gamma`; a gamma below 1 brightens."""
    white = LEVELS - 1
    fraction = ops.maximum(levels, 0.0) / white
    # A power, at a fifth of the time of `ops.power`.
    return white * ops.exp(per_image(gamma, levels) * ops.log(fraction))


def brighten(levels, factor):
    """Multiplies by `factor`."""
    return levels * per_image(factor, levels)


def contrast(levels, factor, center):
    """Multiplies the distance from `center`, such as the mean luma."""
    factor, center = per_image(factor, levels), per_image(center, levels)
    return center + factor * (levels - center)


def add(levels, amount):
    """Adds `amount`."""
    return levels + per_image(amount, levels)


def autocontrast(levels, lowest, highest):
    """Stretches the levels from `lowest` to `highest` over all 256.

    Where the two are one and the same, nothing changes.
    """
    lowest, highest = per_image(lowest, levels), per_image(highest, levels)
    width = highest - lowest
    stretched = (levels - lowest) * ((LEVELS - 1) / ops.maximum(width, 1e-6))
    return ops.where(width > 0, stretched, levels)


def extremes(images):
    """The lowest and the highest value of each image and channel.

    Returns:
        Two tensors of shape `(batch, channels)`.
    """
    return pixel_min(images), pixel_max(images)


def equalize(histogram):
    """The table after which all levels are about equally frequent.

    It is that of Pillow: with `step`, the 255th part of the count of pixels
    below the highest level, a level becomes the number of steps among the
    pixels below it, to the nearest. Steps are whole, and where there is less
    than one, nothing changes. Only images of fewer than 256 pixels, which
    Pillow leaves as they are, have steps of fractions.

    Args:
        histogram: What `histogram` returned.

    Returns:
        A table, of the shape of `histogram`.
    """
    below = ops.cumsum(histogram, axis=2) - histogram
    # The count below the highest level that occurs.
    occurs = histogram > 0
    most = ops.max(ops.where(occurs, below, 0.0), axis=2, keepdims=True)
    is_small = ops.sum(histogram, axis=2, keepdims=True) < LEVELS
    step = most / (LEVELS - 1)
    step = ops.where(is_small, step, ops.floor(step))
    half = ops.where(is_small, step / 2, ops.floor(step / 2))
    table = ops.floor((below + half) / ops.where(step > 0, step, 1.0))
    return ops.where(step > 0, ops.minimum(table, LEVELS - 1.0), ramp())


def histogram(images):
    """How often each level occurs, in each image and channel.

    Args:
        images: Tensor of whole levels.

    Returns:
        Float32 tensor of shape `(batch, 1, 256, channels)`.
    """
    batch, _, _, channels = ops.shape(images)
    entries = ops.reshape(_entries(images, batch, channels), (-1,))
    counts = ops.segment_sum(
        ops.ones_like(entries, dtype="float32"),
        entries,
        num_segments=batch * LEVELS * channels,
    )
    return ops.reshape(counts, (-1, 1, LEVELS, channels))


def mapped_histogram(histogram, table):
    """The histogram of images after a lookup in a table.

    Args:
        histogram: Their histogram before.
        table: A table of whole levels.

    Returns:
        A tensor like `histogram`.
    """
    after = ops.reshape(ramp(), (1, -1, 1, 1))
    counts = ops.sum(ops.where(table == after, histogram, 0.0), axis=2)
    return counts[:, None]


def lookup(images, table, value_range=(0, LEVELS - 1)):
    """Reads every value of an image in a table.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`. What are
            not bytes are taken to the nearest of 256 levels first.
        table: Float tensor of whole levels, of shape
            `(batch, 1, 256, channels)`; its sizes but the 256 may be 1.
        value_range: The pair of the values of the lowest and the highest
            level in the images.

    Returns:
        A tensor of the shape and dtype of `images`.
    """
    levels = whole_levels(images, value_range)
    sets, _, _, columns = ops.shape(table)
    entries = _entries(levels, sets, columns)
    values = rows_at(_written(table), entries)
    if are_bytes(images, value_range):
        return ops.cast(values, "uint8")
    return in_dtype_of(from_levels(values, value_range), images, value_range)


def per_image(parameter, images):
    """A parameter, ready to meet images of its dtype."""
    parameter = ops.cast(parameter, images.dtype)
    if len(parameter.shape) == 1:
        parameter = parameter[:, None]
    return parameter[:, None, None] if len(parameter.shape) else parameter


def _written(table):
    """A table in one row, which is computed before it is read.

    Otherwise XLA computes the entry for a value again at each such value. A
    product of matrices keeps it from that; whole levels go through it as they
    are, in any precision.
    """
    rows = ops.reshape(ops.cast(table, "float32"), (-1, 16))
    return ops.reshape(ops.matmul(rows, ops.eye(16)), (-1,))


def _entries(images, sets, columns):
    """Where values stand in tables of all images or one, side by side."""
    first = ops.arange(sets, dtype="int32")[:, None, None, None] * LEVELS
    entries = (first + ops.cast(images, "int32")) * columns
    return entries + ops.arange(columns, dtype="int32")

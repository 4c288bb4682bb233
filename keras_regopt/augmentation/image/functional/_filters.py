"""Convolutions with a kernel of its own for each image.

Sums of shifted images, times the weights: a convolution that takes one kernel
for each image is a grouped one, which XLA computes a hundred times as slowly
on a CPU. Beyond the edge lies the mirror image, edge included.
"""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_xla_graph
from keras_regopt.augmentation._switch_map import switch_map
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of


def filtered(images, weights):
    """Convolves images with one kernel down and the same across.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        weights: Float tensor of shape `(batch, 2 * radius + 1)`.

    Returns:
        A tensor of the shape and dtype of `images`.
    """
    # Image by image, which fits the cache of a CPU.
    return _one_by_one(_filtered, images, weights)


def convolved(images, kernels, most):
    """Convolves images with kernels of two dimensions, few of them not zero.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        kernels: Float tensor of shape `(batch, size, size)`, the size odd;
            they are laid on the images as they are, not turned round.
        most: How many weights of a kernel are not zero, at most.

    Returns:
        A tensor of the shape and dtype of `images`.
    """
    size = kernels.shape[1]
    weights = ops.reshape(kernels, (-1, size * size))
    taps = ops.argsort(-weights, axis=1)[:, : min(most, size * size)]
    taps = ops.cast(taps, "int32")
    taps = {
        "weight": ops.take_along_axis(weights, taps, axis=1),
        "y": taps // size,
        "x": taps % size,
    }

    def one(images, taps):
        return _summed(images, size // 2, **taps)

    return _one_by_one(one, images, taps)


def _one_by_one(function, images, parameters):
    batch = ops.shape(images)[0]
    choices = ops.zeros((batch, 1), "int32")
    parameters = keras.tree.map_structure(lambda p: p[:, None], parameters)
    return switch_map(images, choices, [function], parameters)


def _filtered(images, weights):
    batch, height, width, channels = shape = ops.shape(images)
    # In rows of values, so that XLA computes on many at once.
    rows = as_floats(ops.reshape(images, (-1, height, width * channels)))

    def across(rows, weights):
        return _across(rows, weights, width, channels)

    # Steps of a loop: XLA would compute the first pass again for each term of
    # the second.
    passes = ops.zeros((batch, 1), "int32")
    passes = ops.concatenate([passes, passes + 1], axis=1)
    weights = ops.stack([weights, weights], axis=1)
    rows = switch_map(rows, passes, [_down, across], weights)
    return ops.reshape(in_dtype_of(rows, images), shape)


def _down(rows, weights):
    size = weights.shape[1]
    height = ops.shape(rows)[1]
    rows = _mirrored(rows, 1, size // 2)
    return sum(
        _weight(weights[:, k], rows) * rows[:, k : k + height]
        for k in range(size)
    )


def _across(rows, weights, width, channels):
    size = weights.shape[1]
    rows = _with_sides(rows, size // 2, width, channels)
    end = width * channels
    return sum(
        _weight(weights[:, k], rows) * rows[:, :, k * channels :][:, :, :end]
        for k in range(size)
    )


def _summed(images, radius, weight, y, x):
    """The sum of shifted copies of images, each with shifts of its own."""
    _, height, width, channels = shape = ops.shape(images)
    rows = ops.reshape(images, (-1, height, width * channels))
    rows = _mirrored(rows, 1, radius)
    rows = as_floats(_with_sides(rows, radius, width, channels))
    if rows.shape[0] == 1:
        # A piece of memory, which a compiler reads many values at a time.
        def shifted(k):
            start = (0, y[0, k], x[0, k] * channels)
            return _piece(rows, start, (1, height, width * channels))
    else:
        down = ops.arange(height, dtype="int32")[None, :, None]
        across = ops.arange(width * channels, dtype="int32")[None, None, :]

        def shifted(k):
            row = down + y[:, k][:, None, None]
            column = across + x[:, k][:, None, None] * channels
            taken = ops.take_along_axis(rows, row, axis=1)
            return ops.take_along_axis(taken, column, axis=2)

    total = sum(
        _weight(weight[:, k], rows) * shifted(k) for k in range(weight.shape[1])
    )
    return ops.reshape(in_dtype_of(total, images), shape)


def _piece(x, start, size):
    if not in_xla_graph():
        return ops.slice(x, start, size)
    from tensorflow.compiler.tf2xla.python import xla

    # For what `tf.slice` takes XLA compiles again for every index.
    return xla.dynamic_slice(x, ops.stack(start), ops.stack(size))


def _weight(weights, rows):
    return ops.cast(weights, rows.dtype)[:, None, None]


def _with_sides(rows, radius, width, channels):
    """Rows of values with their mirror images on both sides."""
    length = ops.shape(rows)[1]
    pixels = ops.reshape(rows, (-1, length, width, channels))
    pixels = _mirrored(pixels, 2, radius)
    return ops.reshape(pixels, (-1, length, (width + 2 * radius) * channels))


def _mirrored(x, axis, radius):
    """A tensor with its mirror image on both ends of an axis."""
    size = x.shape[axis]
    if size is None or size < radius:
        # More than one mirror image, and slower to read.
        size = ops.shape(x)[axis]
        index = ops.arange(-radius, size + radius) % (2 * size)
        index = ops.minimum(index, 2 * size - 1 - index)
        return ops.take(x, index, axis=axis)
    before = (slice(None),) * axis
    first = ops.flip(x[(*before, slice(radius))], axis=axis)
    last = ops.flip(x[(*before, slice(size - radius, size))], axis=axis)
    return ops.concatenate([first, x, last], axis=axis)

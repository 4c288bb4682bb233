"""Convolutions with a kernel of its own for each image.

Sums of shifted images, times the weights: a convolution that takes one kernel
for each image is a grouped one, which XLA computes a hundred times as slowly
on a CPU. Beyond the edge lies the mirror image, edge included.
"""

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._each import each
from keras_regopt.augmentation.image._values import as_came, as_floats


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


def convolved(images, kernels):
    """Convolves images with kernels of two dimensions.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        kernels: Float tensor of shape `(batch, size, size)`, the size odd;
            they are laid on the images as they are, not turned round.

    Returns:
        A tensor of the shape and dtype of `images`.
    """
    _, height, width, channels = shape = ops.shape(images)
    size = kernels.shape[1]
    rows = ops.reshape(images, (-1, height, width * channels))
    rows = _mirrored(rows, 1, size // 2)
    rows = as_floats(_with_sides(rows, size // 2, width, channels))
    end = width * channels
    rows = sum(
        _weight(kernels[:, y, x], rows)
        * rows[:, y : y + height, x * channels :][:, :, :end]
        for y in range(size)
        for x in range(size)
    )
    return ops.reshape(as_came(rows, images), shape)


def _one_by_one(function, images, weights):
    batch = ops.shape(images)[0]
    choices = ops.zeros((batch, 1), "int32")
    return each(images, choices, [function], weights[:, None])


def _filtered(images, weights):
    batch, height, width, channels = shape = ops.shape(images)
    # In rows of values, so that XLA computes on many at once.
    rows = as_floats(ops.reshape(images, (-1, height, width * channels)))

    def across(rows, weights):
        return _across(rows, weights, width, channels)

    # Steps of a loop: XLA would compute the first pass anew for each term of
    # the second.
    passes = ops.zeros((batch, 1), "int32")
    passes = ops.concatenate([passes, passes + 1], axis=1)
    weights = ops.stack([weights, weights], axis=1)
    rows = each(rows, passes, [_down, across], weights)
    return ops.reshape(as_came(rows, images), shape)


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
        place = ops.arange(-radius, size + radius) % (2 * size)
        place = ops.minimum(place, 2 * size - 1 - place)
        return ops.take(x, place, axis=axis)
    before = (slice(None),) * axis
    first = ops.flip(x[(*before, slice(radius))], axis=axis)
    last = ops.flip(x[(*before, slice(size - radius, size))], axis=axis)
    return ops.concatenate([first, x, last], axis=axis)

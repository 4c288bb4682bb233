"""Affine warps, as gathers, which every compiler takes."""

from keras_regopt._keras import data_ops as ops

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")


def warp(images, matrix, interpolation, fill_mode, fill_value=0.0):
    """Reads every output pixel at an affine map of its position.

    Output pixel `(x, y)` is read at `matrix @ (x, y, 1)`, in pixels from the
    center of the first pixel.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`; float for
            bilinear interpolation.
        matrix: Float32 tensor of shape `(batch, 2, 3)`.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: What lies beyond the edge: `"constant"` is `fill_value`,
            `"nearest"` the pixel at the edge, `"reflect"` the mirror image,
            edge included, and `"wrap"` the image again.
        fill_value: The value for `"constant"`.

    Returns:
        A tensor of the shape and dtype of `images`.
    """
    x, y = _sources(images, matrix)
    read = _reader(images, fill_mode, fill_value)
    if interpolation == "nearest":
        return read(ops.floor(x + 0.5), ops.floor(y + 0.5))
    left, top = ops.floor(x), ops.floor(y)
    to_right, down = _weight(x - left, images), _weight(y - top, images)
    upper = _mixed(read(left, top), read(left + 1, top), to_right)
    lower = _mixed(read(left, top + 1), read(left + 1, top + 1), to_right)
    return _mixed(upper, lower, down)


def forward_points(x, y, matrix):
    """Where the warp by a matrix takes points of the input.

    Args:
        x: Tensor of shape `(batch, points)`.
        y: Tensor like `x`.
        matrix: The matrix of the warp, of shape `(batch, 2, 3)`.

    Returns:
        The new `x` and `y`.
    """
    a, b, c, d, e, f = (m[:, None] for m in entries(matrix))
    x, y = x - c, y - f
    determinant = a * e - b * d
    return (e * x - b * y) / determinant, (a * y - d * x) / determinant


def entries(matrix):
    """The six entries of matrices of shape `(batch, 2, 3)`, row by row."""
    return [matrix[:, row, column] for row in (0, 1) for column in (0, 1, 2)]


def _sources(images, matrix):
    _, height, width, _ = ops.shape(images)
    y = ops.cast(ops.arange(height), "float32")[None, :, None]
    x = ops.cast(ops.arange(width), "float32")[None, None, :]
    a, b, c, d, e, f = (m[:, None, None] for m in entries(matrix))
    return a * x + b * y + c, d * x + e * y + f


def _reader(images, fill_mode, fill_value):
    batch, height, width, channels = ops.shape(images)
    pixels = ops.reshape(images, (-1, channels))
    first = ops.arange(batch)[:, None, None] * (height * width)

    def read(x, y):
        x, y = ops.cast(x, "int32"), ops.cast(y, "int32")
        column, row = (
            _within(x, width, fill_mode),
            _within(y, height, fill_mode),
        )
        values = ops.take(pixels, first + row * width + column, axis=0)
        if fill_mode != "constant":
            return values
        inside = ops.logical_and(
            ops.logical_and(x >= 0, x < width),
            ops.logical_and(y >= 0, y < height),
        )
        fill = ops.cast(fill_value, values.dtype)
        return ops.where(inside[..., None], values, fill)

    return read


def _within(index, size, fill_mode):
    """The pixel that stands in for each index along an axis."""
    if fill_mode == "wrap":
        return ops.mod(index, size)
    if fill_mode == "reflect":
        index = ops.mod(index, 2 * size)
        return ops.minimum(index, 2 * size - 1 - index)
    return ops.clip(index, 0, size - 1)


def _weight(weight, images):
    return ops.cast(weight, images.dtype)[..., None]


def _mixed(one, other, weight):
    return one + (other - one) * weight

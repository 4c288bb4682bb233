"""Warps, as gathers, which every compiler takes."""

import itertools

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._gather import rows_at
from keras_regopt.augmentation._training import is_traced
from keras_regopt.augmentation.image.functional._matrices import (
    NEAREST_TO_HORIZON,
    entries,
)

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest", "bicubic")

# The dtypes that float32 holds.
EXACT_IN_FLOATS = ("float32", "float16", "uint8", "int8", "uint16", "int16")


def warp(
    images,
    matrix,
    size,
    interpolation="bilinear",
    fill_mode="reflect",
    fill_value=0.0,
    is_projective=False,
):
    """Reads every pixel of the output where a matrix says that it lies.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        matrix: Tensor of shape `(batch, 3, 3)`; see `_matrices`.
        size: Height and width of the output.
        interpolation: One of `INTERPOLATIONS`.
        fill_mode: What lies beyond the edge: `"constant"` is `fill_value`,
            `"nearest"` the pixel at the edge, `"reflect"` the mirror image,
            edge included, and `"wrap"` the image again.
        fill_value: The value for `"constant"`.
        is_projective: Whether the last rows of the matrices count.

    Returns:
        A tensor of the given size. Its dtype is that of `images` for
        `"nearest"` and for floats, else float32, not yet rounded.
    """
    x, y = sources(matrix, size, is_projective)
    return read_at(images, x, y, interpolation, fill_mode, fill_value)


def sources(matrix, size, is_projective=False):
    """Where in the input the pixels of the output lie.

    Args:
        matrix: Tensor of shape `(batch, 3, 3)`.
        size: Height and width of the output.
        is_projective: Whether the last rows of the matrices count.

    Returns:
        `x` and `y`, float32 tensors of shape `(batch, height, width)`.
    """
    height, width = size
    y = ops.cast(ops.arange(height), "float32")[None, :, None]
    x = ops.cast(ops.arange(width), "float32")[None, None, :]
    rows = [[m[:, None, None] for m in row] for row in entries(matrix)]
    (a, b, c), (d, e, f), (g, h, i) = rows
    u, v = a * x + b * y + c, d * x + e * y + f
    if not is_projective:
        return u, v
    # Beyond the horizon there is nothing to see.
    w = ops.maximum(g * x + h * y + i, NEAREST_TO_HORIZON)
    # One division, whose results are kept, instead of two for each tap.
    inverse = 1 / w
    return u * inverse, v * inverse


def read_at(images, x, y, interpolation, fill_mode="reflect", fill_value=0.0):
    """Reads images at points of their own for each pixel of the output.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        x: Tensor of shape `(batch, new height, new width)`: the columns, in
            pixels from the center of the first one.
        y: Tensor like `x`: the rows.
        interpolation: See `warp`.
        fill_mode: See `warp`.
        fill_value: See `warp`.

    Returns:
        See `warp`.
    """
    if interpolation == "nearest":
        read = _reader(images, fill_mode, fill_value)
        return read(ops.floor(x + 0.5), ops.floor(y + 0.5))
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype != "float64":
        images = ops.cast(images, "float32")
    if keras.backend.backend() == "torch" and not is_traced(images):
        return _by_torch(images, x, y, interpolation, fill_mode, fill_value)
    read = _reader(images, fill_mode, fill_value)
    left, top = ops.floor(x), ops.floor(y)
    to_right, down = _weight(x - left, images), _weight(y - top, images)
    if interpolation == "bicubic":
        return _bicubic(read, left, top, to_right, down)
    upper = _mixed(read(left, top), read(left + 1, top), to_right)
    lower = _mixed(read(left, top + 1), read(left + 1, top + 1), to_right)
    return _mixed(upper, lower, down)


def _reader(images, fill_mode, fill_value):
    batch, height, width, channels = ops.shape(images)
    pixels = ops.reshape(images, (-1, channels))
    first = ops.arange(batch)[:, None, None] * (height * width)
    last_column = ops.cast(width, "float32") - 1
    last_row = ops.cast(height, "float32") - 1

    def read(x, y):
        column = ops.cast(_within(x, last_column, fill_mode), "int32")
        row = ops.cast(_within(y, last_row, fill_mode), "int32")
        values = rows_at(pixels, first + row * width + column)
        if fill_mode != "constant":
            return values
        inside = ops.logical_and(
            ops.logical_and(x >= 0, x <= last_column),
            ops.logical_and(y >= 0, y <= last_row),
        )
        return _filled(values, inside[..., None], fill_value)

    return read


def _by_torch(images, x, y, interpolation, fill_mode, fill_value):
    """Reads by one kernel, where nothing would fuse the gathers.

    `embedding_bag` sums rows of a table, here pixels, by weights. Unlike
    `grid_sample` it leaves an image that does not move as it is to the bit.
    """
    import torch

    batch, height, width, channels = images.shape
    first = torch.arange(batch, dtype=torch.int32, device=images.device)
    first = first[:, None, None] * height
    rows = [
        ((first + row) * width, weight)
        for row, weight in _weighted(y, height - 1, interpolation, fill_mode)
    ]
    columns = _weighted(x, width - 1, interpolation, fill_mode)
    pairs = list(itertools.product(rows, columns))
    index = torch.stack([row[0] + column[0] for row, column in pairs], dim=-1)
    weight = torch.stack([row[1] * column[1] for row, column in pairs], dim=-1)
    # One matrix may serve the whole batch.
    index, weight = torch.broadcast_tensors(index, weight)
    count, weight = len(pairs), weight.to(images.dtype)
    result = torch.nn.functional.embedding_bag(
        index.reshape(-1, count),
        images.reshape(-1, channels),
        per_sample_weights=weight.reshape(-1, count),
        mode="sum",
    ).reshape(*index.shape[:3], channels)
    if fill_mode == "constant":
        result = result + fill_value * (1 - weight.sum(-1, keepdim=True))
    return result


def _weighted(position, last, interpolation, fill_mode):
    """The pixels along an axis that count at a position, and how much."""
    start = ops.floor(position)
    t = position - start
    weights, lowest = (1 - t, t), 0
    if interpolation == "bicubic":
        weights, lowest = _keys_weights(t), -1
    result = []
    for offset, weight in enumerate(weights, lowest):
        index = start + offset
        if fill_mode == "constant":
            inside = ops.logical_and(index >= 0, index <= last)
            weight = weight * ops.cast(inside, weight.dtype)
        index = ops.cast(_within(index, last, fill_mode), "int32")
        result.append((index, weight))
    return result


def _filled(values, inside, fill_value):
    dtype = keras.backend.standardize_dtype(values.dtype)
    fill = ops.cast(fill_value, dtype)
    if dtype not in EXACT_IN_FLOATS:
        return ops.where(inside, values, fill)
    # XLA would compile a selection to something three times as slow.
    values, inside, fill = (
        ops.cast(x, "float32") for x in (values, inside, fill)
    )
    return ops.cast(values * inside + fill * (1 - inside), dtype)


def _within(index, last, fill_mode):
    """The pixel that stands in for each index along an axis, in floats.

    Floats because integers divide slowly; they are exact up to 2 ** 24.
    """
    if fill_mode in ("wrap", "reflect"):
        period = (last + 1) * (1 if fill_mode == "wrap" else 2)
        # Half a pixel keeps what divides evenly from being rounded down.
        index = index - period * ops.floor((index + 0.5) / period)
    if fill_mode == "reflect":
        index = ops.minimum(index, period - 1 - index)
    # Also for what a division by almost nothing has sent far away.
    return ops.clip(index, 0, last)


def _weight(weight, images):
    return ops.cast(weight, images.dtype)[..., None]


def _mixed(one, other, weight):
    return one + (other - one) * weight


def _bicubic(read, left, top, to_right, down):
    rows = []
    for row in range(-1, 3):
        pixels = [read(left + column, top + row) for column in range(-1, 3)]
        rows.append(_summed(pixels, _keys_weights(to_right)))
    return _summed(rows, _keys_weights(down))


def _summed(values, weights):
    return sum(v * w for v, w in zip(values, weights, strict=True))


def _keys_weights(t):
    """The cubic of Keys with a = -1/2, at the distances -1-t, -t, 1-t, 2-t."""
    return (
        ((1 - 0.5 * t) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((2 - 1.5 * t) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )

"""Images scaled along both axes, rows first, then columns.

That mixes fewer pixels than a warp does, and lets each pixel of the output
average over all that it covers of the input.
"""

import math

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph
from keras_regopt.augmentation.image._matrices import entries


def resampled(images, matrix, size, antialias):
    """Reads images by matrices that neither turn nor shear nor flip.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        matrix: Tensor of shape `(batch, 3, 3)`, or `(1, 3, 3)` for all images
            alike. It must not shrink an image to less than the output.
        size: Height and width of the output.
        antialias: Whether to average, by a triangle as wide as two pixels of
            the output, where those are larger than pixels of the input.

    Returns:
        A tensor of the given size, in the dtype of `images`, or in float32 if
        that is less precise.
    """

    (_, height, width, _), ((a, _, c), (_, e, f), _) = (
        ops.shape(images),
        entries(matrix),
    )
    taps = [
        *_taps(e, f, size[0], height, antialias),
        *_taps(a, c, size[1], width, antialias),
    ]

    dtype = keras.backend.standardize_dtype(images.dtype)

    def one(parts):
        image, rows, row_shares, columns, column_shares = parts
        image = _mixed(image, -3, rows, row_shares)
        image = _mixed(image, -2, columns, column_shares)
        # Here it costs less than after the loop.
        is_float = keras.backend.is_float_dtype(dtype)
        return image if is_float else ops.cast(ops.round(image), dtype)

    if matrix.shape[0] == 1:
        return one((images, *keras.tree.map_structure(lambda x: x[0], taps)))
    is_jax = keras.backend.backend() == "jax" and not in_foreign_tf_graph()
    each = ops.vectorized_map if is_jax else ops.map
    return each(one, (images, *taps))


def _taps(scale, start, count, size, antialias):
    """What pixels are read along an axis for each of the output.

    They are worked out for the whole batch, and one by one where it is known
    how many there are: within the loop over the images, a compiler would do
    so anew for each pixel.

    Returns:
        Their indices and their shares, both a list of tensors of shape
        `(batch, count)`, or a tensor of shape `(batch, taps, count)`.
    """
    start, scale = start[:, None, None], scale[:, None, None]
    places = start + scale * ops.cast(ops.arange(count), "float32")
    reach = ops.maximum(scale, 1.0) if antialias else 1.0
    taps = ops.arange(_most_taps(size, count) if antialias else 2)
    index = ops.floor(places - reach) + 1
    index = index + ops.cast(taps, "float32")[:, None]
    last = ops.cast(size, "float32") - 1
    shares = ops.maximum(1 - ops.abs(index - places) / reach, 0.0)
    inside = ops.logical_and(index >= 0, index <= last)
    shares = ops.where(inside, shares, 0.0)
    shares = shares / ops.sum(shares, axis=1, keepdims=True)
    index = ops.cast(ops.clip(index, 0, last), "int32")
    if taps.shape[0] is None:
        return index, shares
    return [
        [tensor[:, tap] for tap in range(taps.shape[0])]
        for tensor in (index, shares)
    ]


def _most_taps(size, count):
    """How many pixels there can be in reach of one of the output."""
    if isinstance(size, int):
        return math.ceil(2 * max(size / count, 1))
    most = ops.ceil(2 * ops.maximum(ops.cast(size, "float32") / count, 1.0))
    return ops.cast(most, "int32")


def _mixed(image, axis, index, shares):
    def term(tap):
        values = ops.take(image, index[tap], axis=axis)
        if keras.backend.standardize_dtype(values.dtype) != "float64":
            values = ops.cast(values, "float32")
        share = ops.cast(shares[tap], values.dtype)
        return values * ops.reshape(share, (-1,) + (1,) * (-axis - 1))

    if isinstance(index, (list, tuple)):
        return sum(term(tap) for tap in range(len(index)))
    # Not known before TensorFlow runs.
    return ops.fori_loop(
        1, ops.shape(index)[0], lambda tap, total: total + term(tap), term(0)
    )

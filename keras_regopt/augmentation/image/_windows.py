"""Parts of images, cut out pixel by pixel, and margins around images.

A window holds the pixels as they are, so it is copied row by row, several
times faster than a warp reads it.
"""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph, in_tf_graph
from keras_regopt.augmentation._training import is_traced
from keras_regopt.augmentation.image import _matrices
from keras_regopt.augmentation.image._warp import _within


def shifts(left, top):
    """The matrices of windows that begin at these columns and rows.

    Args:
        left: Float32 tensor of shape `(batch,)`: whole numbers of pixels,
            negative where the window begins outside of the image.
        top: Tensor like `left`.

    Returns:
        A tensor of shape `(batch, 3, 3)`.
    """
    one = ops.ones_like(left)
    return _matrices.affine(one, 0.0, left, 0.0, one, top)


def windows(images, matrix, size, margins, fill_mode, fill_value=0.0):
    """The window of each image that a matrix of `shifts` says.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        matrix: Tensor of shape `(batch, 3, 3)`.
        size: Height and width of the windows.
        margins: By how many rows and columns a window may begin before the
            image, or end behind it.
        fill_mode: What is seen there; see `warp`.
        fill_value: The value for `"constant"`.

    Returns:
        A tensor of the given size, in the dtype of `images`.
    """
    images = _padded(images, margins, fill_mode, fill_value)
    rows, columns = margins
    top = ops.cast(ops.round(matrix[:, 1, 2]), "int32") + rows
    left = ops.cast(ops.round(matrix[:, 0, 2]), "int32") + columns
    each = _fastest_map(images)
    if each is None:
        return _gathered(images, top, left, size)
    channels = ops.shape(images)[-1]

    def window(parts):
        image, top, left = parts
        return ops.slice(image, (top, left, 0), (*size, channels))

    return each(window, (images, top, left))


def _fastest_map(images):
    """What copies the images of a batch one by one, or `None`."""
    backend = keras.backend.backend()
    if in_foreign_tf_graph() or (backend == "tensorflow" and in_tf_graph()):
        return ops.map
    if backend == "jax":
        # One gather of whole windows.
        return ops.vectorized_map
    # A loop needs to know the size of the batch.
    return ops.map if backend == "torch" and not is_traced(images) else None


def _gathered(images, top, left, size):
    batch, height, width, channels = ops.shape(images)
    rows = top[:, None] + ops.arange(size[0])
    columns = left[:, None] + ops.arange(size[1])
    rows = rows + ops.arange(batch)[:, None] * height
    index = rows[:, :, None] * width + columns[:, None, :]
    return ops.take(ops.reshape(images, (-1, channels)), index, axis=0)


def _padded(images, margins, fill_mode, fill_value):
    for axis, margin in ((1, margins[0]), (2, margins[1])):
        if isinstance(margin, int) and margin == 0:
            continue
        images = ops.concatenate(
            [
                _margin(images, axis, margin, side, fill_mode, fill_value)
                if side
                else images
                for side in (-1, 0, 1)
            ],
            axis=axis,
        )
    return images


def _margin(images, axis, margin, side, fill_mode, fill_value):
    size = ops.shape(images)[axis]
    index = ops.arange(margin) + (size if side > 0 else -margin)
    strip = ops.take(images, _within(index, size, fill_mode), axis=axis)
    if fill_mode != "constant":
        return strip
    return ops.full_like(strip, _held(fill_value, strip.dtype))


def _held(value, dtype):
    """A number that a dtype can hold, instead of one that wraps around."""
    dtype = keras.backend.standardize_dtype(dtype)
    if keras.backend.is_float_dtype(dtype) or dtype == "bool":
        return value
    return int(np.clip(round(value), np.iinfo(dtype).min, np.iinfo(dtype).max))

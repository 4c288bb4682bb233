"""Parts of images, cut out pixel by pixel, and margins around images.

A window holds the pixels as they are, so it is copied row by row, several
times faster than a warp reads it.
"""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import (
    in_foreign_tf_graph,
    in_tf_graph,
    in_xla_graph,
)
from keras_regopt.augmentation._gather import rows_at
from keras_regopt.augmentation._training import is_traced
from keras_regopt.augmentation.image.functional import _matrices
from keras_regopt.augmentation.image.functional._warp import _within


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
        matrix: Tensor of shape `(batch, 3, 3)`, or `(1, 3, 3)` for one window
            in all images.
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
    return _fastest(images, top)(images, top, left, size)


def _fastest(images, top):
    """How to cut these windows here."""
    backend = keras.backend.backend()
    if top.shape[0] == 1:
        return _cut_at_once
    if in_xla_graph():
        return _cut_by_xla
    if in_foreign_tf_graph() or (backend == "tensorflow" and in_tf_graph()):
        return _cut_in_a_loop
    if backend == "jax":
        return _cut_together
    # In a traced loop, the size of the batch would have to be known.
    loops = backend == "torch" and not is_traced(images)
    return _cut_in_a_loop if loops else _gathered


def _cut_at_once(images, top, left, size):
    """One window for all images, or for the only one."""
    if keras.backend.backend() == "torch" and not in_tf_graph():
        # To slice, it would have to wait for the values of the offsets.
        # By an index, since ONNX has no operator for the `take` of Keras.
        images = images[:, top[0] + ops.arange(size[0])]
        return images[:, :, left[0] + ops.arange(size[1])]
    batch, _, _, channels = ops.shape(images)
    return ops.slice(images, (0, top[0], left[0], 0), (batch, *size, channels))


def _cut_by_xla(images, top, left, size):
    """One gather of whole windows, which no public function offers."""
    from tensorflow.compiler.tf2xla.python import xla

    batch, _, _, channels = ops.shape(images)
    numbers = xla.xla_data_pb2.GatherDimensionNumbers(
        offset_dims=[1, 2, 3],
        collapsed_slice_dims=[0],
        start_index_map=[0, 1, 2],
        index_vector_dim=1,
    )
    starts = ops.stack([ops.arange(batch, dtype="int32"), top, left], axis=1)
    cut = xla.gather(images, starts, numbers, [1, *size, channels])
    # TensorFlow does not know the shape by itself.
    return ops.reshape(cut, (-1, *size, channels))


def _cut_together(images, top, left, size):
    """What JAX makes one gather of whole windows of."""
    return ops.vectorized_map(_cutter(images, size), (images, top, left))


def _cut_in_a_loop(images, top, left, size):
    return ops.map(_cutter(images, size), (images, top, left))


def _cutter(images, size):
    channels = ops.shape(images)[-1]

    def cut(parts):
        image, top, left = parts
        return ops.slice(image, (top, left, 0), (*size, channels))

    return cut


def _gathered(images, top, left, size):
    _, height, width, channels = ops.shape(images)
    # Counted without the size of the batch, which need not be known.
    first = (ops.cumsum(ops.ones_like(top)) - 1) * height
    rows = (first + top)[:, None] + ops.arange(size[0])
    columns = left[:, None] + ops.arange(size[1])
    index = rows[:, :, None] * width + columns[:, None, :]
    return rows_at(ops.reshape(images, (-1, channels)), index)


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
    index = _within(
        ops.cast(index, "float32"), ops.cast(size, "float32") - 1, fill_mode
    )
    strip = ops.take(images, ops.cast(index, "int32"), axis=axis)
    if fill_mode != "constant":
        return strip
    return ops.full_like(strip, _held(fill_value, strip.dtype))


def _held(value, dtype):
    """A number that a dtype can hold, instead of one that wraps around."""
    dtype = keras.backend.standardize_dtype(dtype)
    if keras.backend.is_float_dtype(dtype) or dtype == "bool":
        return value
    return int(np.clip(round(value), np.iinfo(dtype).min, np.iinfo(dtype).max))

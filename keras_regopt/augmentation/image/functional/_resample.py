"""Images scaled so that each pixel averages over all that it covers."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.image.functional._matrices import entries


def resampled(images, matrix, size):
    """Reads images by matrices that neither turn nor shear nor flip.

    Where a pixel of the output is larger than one of the input, it is the
    average by a triangle as wide as two pixels of the output; elsewhere the
    interpolation is bilinear. Both axes are products with matrices of
    weights: unlike indices, weights do not jump where a compiler rounds the
    position of a pixel in two manners.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        matrix: Tensor of shape `(batch, 3, 3)`.
        size: Height and width of the output.

    Returns:
        A tensor of the given size, in float32 or float64.
    """
    if keras.backend.standardize_dtype(images.dtype) != "float64":
        images = ops.cast(images, "float32")
    _, height, width, _ = ops.shape(images)
    (a, _, c), (_, e, f), _ = entries(matrix)
    rows = ops.cast(_weights(e, f, size[0], height), images.dtype)
    columns = ops.cast(_weights(a, c, size[1], width), images.dtype)
    images = ops.einsum("bnh,bhwc->bnwc", rows, images)
    return ops.einsum("bmw,bnwc->bnmc", columns, images)


def _weights(scale, start, count, size):
    """What each pixel of the input gives to each of the output."""
    scale, start = scale[:, None, None], start[:, None, None]
    positions = start + scale * ops.cast(ops.arange(count), "float32")[:, None]
    away = ops.abs(ops.cast(ops.arange(size), "float32") - positions)
    # Beyond the edge, the pixel at the edge is the only one near.
    reach = ops.maximum(scale, 1.0)
    weights = ops.maximum(1.0 - away / reach, 0.0)
    return weights / ops.sum(weights, axis=-1, keepdims=True)

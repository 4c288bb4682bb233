"""Bounding boxes, in Keras' formats and conventions."""

import keras

from keras_regopt._keras import data_ops as ops

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)


def to_xyxy(boxes, box_format, height, width):
    """Boxes as left, top, right and bottom edge in pixels.

    Args:
        boxes: Tensor of shape `(batch, boxes, 4)`.
        box_format: One of `FORMATS`.
        height: Height of the images.
        width: Width of the images.

    Returns:
        The boxes in float32, and a boolean tensor of shape `(batch, boxes)`
        that tells boxes from padding, which has no area.
    """
    boxes = keras.utils.bounding_boxes.convert_format(
        boxes, box_format, "xyxy", height, width, dtype="float32"
    )
    return boxes, _has_area(boxes)


def from_xyxy(xyxy, alive, came, box_format, height, width, min_visibility=0.0):
    """Clips boxes to the image and gives them in their format again.

    A box with nothing left in the image, or too little, becomes four zeros,
    and its label becomes -1, as in Keras.

    Args:
        xyxy: Float32 tensor of shape `(batch, boxes, 4)`.
        alive: What `to_xyxy` returned.
        came: The dict of `boxes` and `labels` that came in.
        box_format: One of `FORMATS`.
        height: Height of the images.
        width: Width of the images.
        min_visibility: Smallest share of the area that must be left.

    Returns:
        A dict of `boxes` and, if there were any, `labels`.
    """
    left, top, right, bottom = ops.split(xyxy, 4, axis=-1)
    height = ops.cast(height, "float32")
    width = ops.cast(width, "float32")
    whole = _area(xyxy)
    xyxy = ops.concatenate(
        [
            ops.clip(left, 0.0, width),
            ops.clip(top, 0.0, height),
            ops.clip(right, 0.0, width),
            ops.clip(bottom, 0.0, height),
        ],
        axis=-1,
    )
    alive = ops.logical_and(alive, _has_area(xyxy))
    if min_visibility > 0:
        enough = _area(xyxy) >= min_visibility * whole
        alive = ops.logical_and(alive, enough)
    boxes = keras.utils.bounding_boxes.convert_format(
        xyxy, "xyxy", box_format, height, width, dtype="float32"
    )
    boxes = ops.where(ops.expand_dims(alive, -1), boxes, ops.zeros_like(boxes))
    dtype = came["boxes"].dtype
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(dtype)):
        boxes = ops.cast(boxes, dtype)
    results = {"boxes": boxes}
    if "labels" in came:
        labels = came["labels"]
        if len(labels.shape) > len(alive.shape):
            alive = ops.expand_dims(alive, -1)
        gone = ops.cast(-ops.ones_like(labels), labels.dtype)
        results["labels"] = ops.where(alive, labels, gone)
    return results


def _has_area(xyxy):
    left, top, right, bottom = (xyxy[..., i] for i in range(4))
    return ops.logical_and(right > left, bottom > top)


def _area(xyxy):
    left, top, right, bottom = (xyxy[..., i] for i in range(4))
    return (right - left) * (bottom - top)

"""Bounding boxes, in Keras' formats and conventions."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._validate import one_of

# The names by which albumentations and data sets know some of Keras' formats.
ALIASES = {
    "coco": "xywh",
    "pascal_voc": "xyxy",
    "yolo": "rel_center_xywh",
}

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
    *ALIASES,
)


def box_format(owner, value):
    """A format of boxes, in capitals or not, as in Keras.

    Args:
        owner: The object under construction.
        value: The value of its argument `bounding_box_format`.

    Returns:
        One of `FORMATS`, or `None`.

    Raises:
        ValueError: If the value is neither.
    """
    if isinstance(value, str):
        # KerasCV's users write "xyWH".
        value = value.lower()
    return one_of(owner, "bounding_box_format", value, (None, *FORMATS))


def label_keys(bounding_boxes):
    """The keys of the labels of boxes: Keras' name, or KerasCV's."""
    return [key for key in ("labels", "classes") if key in bounding_boxes]


def to_xyxy(bounding_boxes, box_format, height, width):
    """Boxes as left, top, right and bottom edge in pixels.

    Args:
        bounding_boxes: A dict of `boxes`, of shape `(batch, boxes, 4)`, and
            perhaps `labels`.
        box_format: One of `FORMATS`.
        height: Height of the images.
        width: Width of the images.

    Returns:
        The boxes in float32, and a boolean tensor of shape `(batch, boxes)`
        that tells boxes from padding, which has no area or the label -1.
    """
    xyxy = _converted(
        bounding_boxes["boxes"], box_format, "xyxy", height, width
    )
    return xyxy, ops.logical_and(_area(xyxy) > 0, has_label(bounding_boxes))


def has_label(bounding_boxes):
    """Which boxes do not have the label -1, of shape `(batch, boxes)`."""
    named = ops.ones_like(bounding_boxes["boxes"][..., 0], dtype="bool")
    for key in label_keys(bounding_boxes):
        labels = bounding_boxes[key] != -1
        if len(labels.shape) > len(named.shape):
            labels = ops.any(labels, axis=-1)
        named = ops.logical_and(named, labels)
    return named


def from_xyxy(
    xyxy, alive, original, box_format, height, width, min_visibility=0.0
):
    """Clips boxes to the image and gives them in their format again.

    A box with nothing left in the image, or too little, becomes four zeros,
    and its label becomes -1, as in Keras.

    Args:
        xyxy: Float32 tensor of shape `(batch, boxes, 4)`.
        alive: What `to_xyxy` returned.
        original: The dict of `boxes` and `labels` of the inputs.
        box_format: One of `FORMATS`.
        height: Height of the images.
        width: Width of the images.
        min_visibility: Smallest fraction of the area that must be left.

    Returns:
        A dict of `boxes` and, if there were any, `labels`.
    """
    low = ops.zeros((4,), dtype="float32")
    high = ops.cast(ops.stack([width, height, width, height]), "float32")
    clipped = ops.minimum(ops.maximum(xyxy, low), high)
    left = _area(clipped)
    enough = left >= min_visibility * _area(xyxy)
    alive = ops.logical_and(alive, ops.logical_and(left > 0, enough))
    boxes = _converted(clipped, "xyxy", box_format, height, width)
    boxes = ops.where(ops.expand_dims(alive, -1), boxes, ops.zeros_like(boxes))
    dtype = keras.backend.standardize_dtype(original["boxes"].dtype)
    if keras.backend.is_float_dtype(dtype):
        boxes = ops.cast(boxes, dtype)
    results = {"boxes": boxes}
    for key in label_keys(original):
        labels = original[key]
        keep = alive
        if len(labels.shape) > len(alive.shape):
            keep = ops.expand_dims(alive, -1)
        gone = ops.cast(-ops.ones_like(labels), labels.dtype)
        results[key] = ops.where(keep, labels, gone)
    return results


def _converted(boxes, source, target, height, width):
    """What Keras makes of boxes, in float32."""
    source = ALIASES.get(source, source)
    if source == "rel_center_xywh":
        # Of which Keras before 3.15 takes the height for the width.
        sizes = (width, height, width, height)
        scale = ops.stack([ops.cast(size, "float32") for size in sizes])
        boxes, source = ops.cast(boxes, "float32") * scale, "center_xywh"
    return keras.utils.bounding_boxes.convert_format(
        boxes,
        source,
        ALIASES.get(target, target),
        height,
        width,
        dtype="float32",
    )


def _area(xyxy):
    """The area, 0 where the edges are in the wrong order."""
    left, top, right, bottom = (xyxy[..., i] for i in range(4))
    return ops.maximum(right - left, 0.0) * ops.maximum(bottom - top, 0.0)

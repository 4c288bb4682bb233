"""Checks of what belongs to images: their boxes, masks and keypoints.

Shapes are checked wherever they are known. Values are checked in the first
eager call in which there are any, and warned of in later ones and in `tf.data`.
"""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._layout import spatial_axes
from keras_regopt.augmentation._looking import look_until_settled
from keras_regopt.augmentation._told import warn_once
from keras_regopt.augmentation._training import in_tf_data, is_traced
from keras_regopt.augmentation.image.functional._boxes import (
    has_label,
    label_keys,
    to_xyxy,
)

# How many pixels a box may reach out of its image, which rounding explains.
TOLERANCE = 1.0

# By how many pixels edges are in the wrong order for more than rounding.
SMALLEST_REVERSAL = 1e-2


def check_boxes(layer, bounding_boxes, images):
    """Raises a `ValueError` for boxes that cannot belong to the images.

    Args:
        layer: The augmentation, whose name the error bears.
        bounding_boxes: What the inputs hold under this key.
        images: The images, a tensor.
    """
    if not isinstance(bounding_boxes, dict) or "boxes" not in bounding_boxes:
        found = type(bounding_boxes).__name__
        if isinstance(bounding_boxes, dict):
            found = f"keys={sorted(bounding_boxes)}"
        raise ValueError(
            f"`bounding_boxes` in the inputs of {type(layer).__name__} must be "
            f"a dict of 'boxes' and 'labels'. Received: {found}"
        )
    shape = tuple(bounding_boxes["boxes"].shape)
    rank = len(images.shape) - 1
    if len(shape) != rank or shape[-1] not in (4, None):
        _fail(
            layer,
            "bounding_boxes",
            f"of shape {'(batch, boxes, 4)' if rank == 3 else '(boxes, 4)'}, "
            f"to go with images of rank {rank + 1}",
            shape,
        )
    _check_batch(layer, "bounding_boxes", shape, images)
    for key in label_keys(bounding_boxes):
        labels = tuple(bounding_boxes[key].shape)
        if not _fits(labels[: rank - 1], shape[:-1]):
            _fail(
                layer,
                f"{key}` of the `bounding_boxes",
                f"one for each of the boxes, of shape {shape[:-1]}",
                labels,
            )


def check_or_look_at_boxes(layer, bounding_boxes, size):
    """Refuses bad boxes in the first eager call that has any; else, warns.

    Args:
        layer: The augmentation, which has a `bounding_box_format`.
        bounding_boxes: A dict of tensors with a batch axis.
        size: Height and width of the images.
    """
    arguments = (layer, bounding_boxes, size)
    if layer.boxes_are_checked or in_tf_data():
        look_at_boxes(*arguments)
    else:
        layer.boxes_are_checked = check_box_values(*arguments)


def check_box_values(layer, bounding_boxes, size):
    """Raises a `ValueError` for boxes outside of the images, or reversed.

    Args:
        layer: The augmentation, which has a `bounding_box_format`.
        bounding_boxes: A dict of tensors with a batch axis.
        size: Height and width of the images.

    Returns:
        Whether there were boxes to look at.
    """
    boxes = bounding_boxes["boxes"]
    if is_traced(boxes):
        return False
    box_format = layer.bounding_box_format
    xyxy, alive = to_xyxy(bounding_boxes, box_format, *size)
    xyxy, alive = (keras.ops.convert_to_numpy(x) for x in (xyxy, alive))
    limits = np.array([size[1], size[0]], "float32")
    beyond = (xyxy[..., :2] < -TOLERANCE) | (xyxy[..., 2:] > limits + TOLERANCE)
    wrong = beyond.any(axis=-1) & alive
    if wrong.any():
        _fail_value(
            layer,
            boxes,
            wrong,
            f"lie within the images, of height {size[0]} and width {size[1]}",
            ", or clip them to the images first",
        )
    sides = (xyxy[..., 2:] - xyxy[..., :2]).min(axis=-1, initial=0.0)
    values = keras.ops.convert_to_numpy(boxes)
    # Four equal numbers, such as -1, are another way to write padding.
    padding = (values == values[..., :1]).all(axis=-1)
    named = keras.ops.convert_to_numpy(has_label(bounding_boxes))
    wrong = (sides < -SMALLEST_REVERSAL) & named & ~padding
    if wrong.any():
        _fail_value(
            layer,
            boxes,
            wrong,
            "have their left edge before the right one and the top edge above "
            "the bottom one",
            ", or their label to -1 if they are padding",
        )
    return bool(alive.any())


def look_at_boxes(layer, bounding_boxes, size):
    """Warns of boxes outside of the images, or reversed, once for a layer.

    In later calls than the first and in `tf.data`, where one bad box of
    thousands is no reason to stop.

    Args:
        layer: The augmentation, which has a `bounding_box_format`.
        bounding_boxes: A dict of tensors with a batch axis.
        size: Height and width of the images.
    """
    box_format = layer.bounding_box_format

    def wrong():
        xyxy, alive = to_xyxy(bounding_boxes, box_format, *size)
        height, width = (ops.cast(n, "float32") for n in size)
        limits = ops.stack([width, height]) + TOLERANCE
        first, last = xyxy[..., :2], xyxy[..., 2:]
        beyond = (first < -TOLERANCE) | (last > limits)
        boxes = bounding_boxes["boxes"]
        padding = ops.all(boxes == boxes[..., :1], axis=-1)
        reversed_ = ops.any(last - first < -SMALLEST_REVERSAL, axis=-1)
        reversed_ = reversed_ & has_label(bounding_boxes) & ~padding
        return (ops.any(beyond, axis=-1) & alive) | reversed_

    def warn(count):
        warn_once(
            layer,
            "boxes",
            f"{count:.0f} of the boxes of a batch that {type(layer).__name__} "
            "got have their edges in the wrong order, and are dropped, or lie "
            f"beyond their image, and are cut, in the format {box_format!r}. "
            "Set `bounding_box_format` to the format that they have, or mend "
            "them; the label of padding is -1.",
        )
        return True

    look_until_settled(
        layer,
        "boxes seen",
        bounding_boxes["boxes"],
        lambda: [ops.sum(ops.cast(wrong(), "int32"))],
        warn,
        when=lambda: ops.any(wrong()),
    )


def _fail_value(layer, boxes, wrong, allowed, otherwise):
    box = keras.ops.convert_to_numpy(boxes)[wrong][0]
    raise ValueError(
        f"`bounding_boxes` in the inputs of {type(layer).__name__} must "
        f"{allowed}. Received: {box.tolist()} in the format "
        f"{layer.bounding_box_format!r}. Set `bounding_box_format` to the "
        f"format that they have{otherwise}."
    )


def check_masks(layer, masks, images):
    """Raises a `ValueError` for masks of another size than the images."""
    shape, whole = tuple(masks.shape), tuple(images.shape)
    rank = len(whole)
    rows, columns = spatial_axes(layer)
    size = (whole[rows], whole[columns])
    if len(shape) == rank:
        found = (shape[rows], shape[columns])
    elif len(shape) == rank - 1:
        found = shape[-2:]
    else:
        found = None
    if found is None or not _fits(found, size):
        _fail(
            layer,
            "segmentation_masks",
            f"of the height and width of the images, {size}, and of rank "
            f"{rank - 1} or, with an axis of channels, {rank}",
            shape,
        )
    _check_batch(layer, "segmentation_masks", shape, images)


def check_keypoints(layer, keypoints, images):
    """Raises a `ValueError` for keypoints of a shape that says nothing."""
    shape = tuple(keypoints.shape)
    rank = len(images.shape) - 1
    if len(shape) != rank or shape[-1] not in (2, 3):
        lead = "batch, " if rank == 3 else ""
        _fail(
            layer,
            "keypoints",
            f"of shape ({lead}points, 2), x before y, or ({lead}points, 3), "
            "with their visibility",
            shape,
        )
    _check_batch(layer, "keypoints", shape, images)


def _check_batch(layer, key, shape, images):
    batched = len(images.shape) == layer.element_rank + 1
    if batched and not _fits(shape[:1], images.shape[:1]):
        _fail(layer, key, f"for {images.shape[0]} images", shape)


def _fits(shape, other):
    return len(shape) == len(other) and all(
        a is None or b is None or a == b
        for a, b in zip(shape, other, strict=True)
    )


def _fail(layer, key, allowed, shape):
    raise ValueError(
        f"`{key}` in the inputs of {type(layer).__name__} must be {allowed}. "
        f"Received: shape={shape}"
    )

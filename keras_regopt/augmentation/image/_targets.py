"""What moves along with images: boxes, masks, keypoints and more images."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation._targets import Target
from keras_regopt.augmentation.image._target_checks import (
    check_boxes,
    check_keypoints,
    check_masks,
    check_or_look_at_boxes,
)


class BoundingBoxes(Target):
    """A dict of `boxes` and `labels`."""

    hook = "apply_to_boxes"

    def check(self, layer, value, data):
        check_boxes(layer, value, data)

    def moved(self, layer, value, parameters, chosen, shape):
        check_or_look_at_boxes(layer, value, shape[1:3])
        boxes = layer.transform_boxes(value, parameters, shape)
        return {key: select(chosen, boxes[key], value[key]) for key in boxes}


class Masks(Target):
    """Segmentation masks."""

    hook = "apply_to_masks"

    def check(self, layer, value, data):
        check_masks(layer, value, data)

    def moved(self, layer, value, parameters, chosen, shape):
        masks = run_compiled(layer, "transform_masks", value, parameters)
        return select(chosen, masks, value)


class Keypoints(Target):
    """Keypoints, with or without their visibility."""

    hook = "apply_to_keypoints"

    def check(self, layer, value, data):
        check_keypoints(layer, value, data)

    def moved(self, layer, value, parameters, chosen, shape):
        points = layer.transform_keypoints(value, parameters, shape)
        return select(chosen, points, value)


class Images(Target):
    """More images of the same scene."""

    is_set = False

    def moved(self, layer, value, parameters, chosen, shape):
        return layer.run(value, parameters, chosen)


# By their keys in a dict of inputs.
TARGETS = {
    "bounding_boxes": BoundingBoxes(),
    "segmentation_masks": Masks(),
    "keypoints": Keypoints(),
}

# What `additional_targets` can be.
ADDITIONAL = {"images": Images(), "segmentation_masks": Masks()}


def with_visibility(keypoints, points, size):
    """Moved points in the form of the keypoints that they were.

    Args:
        keypoints: Tensor of shape `(batch, points, 2)`, or `(batch, points,
            3)` with their visibility.
        points: Float32 tensor of shape `(batch, points, 2)`, where they are.
        size: Height and width of the output.

    Returns:
        A tensor of the shape of `keypoints`, in which what lies beyond the
        image is marked as not visible.
    """
    dtype = keras.backend.standardize_dtype(keypoints.dtype)
    if not keras.backend.is_float_dtype(dtype):
        dtype = "float32"
    if keypoints.shape[-1] == 2:
        return ops.cast(points, dtype)
    height, width = size
    edge = ops.cast(ops.stack([width, height]), "float32")
    inside = ops.all((points >= 0) & (points <= edge), axis=-1)
    seen = ops.cast(keypoints[..., 2:], dtype)
    seen = ops.where(inside[..., None], seen, ops.zeros_like(seen))
    return ops.concatenate([ops.cast(points, dtype), seen], axis=-1)

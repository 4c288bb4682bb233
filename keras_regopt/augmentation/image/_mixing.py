"""What the augmentations that mix the images of a batch have in common."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._layout import spatial_axes
from keras_regopt.augmentation._mixing import Mixing
from keras_regopt.augmentation._ragged import is_ragged, with_room
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._target_checks import check_boxes
from keras_regopt.augmentation.image.functional._boxes import box_format


class MixingAugmentation(Mixing, ImageAugmentation):
    """Base of the augmentations that make one image of several of a batch.

    A subclass sets `mixed_count`, the number of images that make one, and
    writes `sample`, `apply`, `apply_to_masks` and `placed`. The parameters
    that `sample` returns hold `"sources"`, the numbers in the batch of the
    images that each image is made of, itself first, and `"weights"`, their
    weights; both are of shape `(batch, mixed_count)`. Labels follow from these
    two.

    Args:
        num_classes: Number of classes, at least 2. Labels that are integers
            become one-hot vectors of that length. Defaults to `None`: labels
            are floats already.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"`. Defaults to `None`: no boxes.
        **kwargs: `rate`, `seed` and `data_format` of `ImageAugmentation`, and
            `name` and `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among the values above.
    """

    targets = frozenset({"labels", "segmentation_masks", "bounding_boxes"})

    # Whether a mixture shows its parts all over, rather than side by side.
    blends = False

    def __init__(
        self,
        *,
        num_classes: int | None = None,
        bounding_box_format: str | None = None,
        **kwargs,
    ):
        super().__init__(num_classes=num_classes, **kwargs)
        self.bounding_box_format = box_format(self, bounding_box_format)

    def placed(self, boxes, parameters, shape):
        """Where in the mixture the boxes of the parts lie.

        Args:
            boxes: Float32 tensor of shape `(batch, parts, boxes, 4)`: left,
                top, right and bottom edge in pixels of the image that each
                box belongs to.
            parameters: What `sample` returned.
            shape: What `sample` got.

        Returns:
            The boxes in the mixture, and the area that is seen of each.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`placed(self, boxes, parameters, shape)`."
        )

    def apply_to_boxes(self, boxes, parameters, shape):
        batch, slots = ops.shape(boxes)[:2]
        count = self.mixed_count
        split = ops.reshape(boxes, (batch, count, slots // count, 4))
        moved, seen = self.placed(split, parameters, shape)
        enough = ops.logical_and(
            seen > 0, seen >= self.min_visibility * area(split)
        )
        moved = ops.where(enough[..., None], moved, ops.zeros_like(moved))
        return ops.reshape(moved, (batch, slots, 4))

    def read(self, inputs):
        data = super().read(inputs)
        if "keypoints" in data:
            raise ValueError(
                f"{type(self).__name__} cannot mix keypoints, whose order "
                "tells which is which. Take them out of the inputs, or leave "
                "this layer out."
            )
        if "labels" in data:
            _refuse_masks(self, data["labels"], data["images"])
        boxes = data.get("bounding_boxes")
        if isinstance(boxes, dict) and not any(map(is_ragged, boxes.values())):
            # Here, not in the mixing: in inference there are as many.
            boxes = {key: _tensor(value) for key, value in boxes.items()}
            check_boxes(self, boxes, _tensor(data["images"]))
            data["bounding_boxes"] = with_room(boxes, self.mixed_count)
        return data

    def transform_boxes(self, bounding_boxes, parameters, shape):
        sources = parameters["sources"]
        gathered = {
            key: _gathered(value, sources)
            for key, value in bounding_boxes.items()
        }
        return _padding_last(
            super().transform_boxes(gathered, parameters, shape)
        )


def area(boxes):
    """The areas of boxes of shape `(..., 4)`; of none, 0."""
    left, top, right, bottom = edges(boxes)
    return ops.maximum(right - left, 0) * ops.maximum(bottom - top, 0)


def cut_to(boxes, frames):
    """The part of each box that lies in a frame; both of shape `(..., 4)`."""
    pairs = zip(edges(boxes), edges(frames), strict=True)
    left, top, right, bottom = pairs
    return ops.stack(
        [
            ops.maximum(*left),
            ops.maximum(*top),
            ops.minimum(*right),
            ops.minimum(*bottom),
        ],
        axis=-1,
    )


def edges(boxes):
    """Left, top, right and bottom of boxes of shape `(..., 4)`."""
    return [boxes[..., i] for i in range(4)]


def _tensor(values):
    symbolic = isinstance(values, keras.KerasTensor)
    return values if symbolic else ops.convert_to_tensor(values)


def _refuse_masks(layer, labels, images):
    """Refuses masks as labels where these are averaged over the images."""
    rows, columns = spatial_axes(layer)
    size = images.shape[rows], images.shape[columns]
    shape = tuple(labels.shape)
    unclear = None in size and len(shape) < len(images.shape)
    if layer.blends or len(shape) < 3 or unclear:
        return
    if size in (shape[1:3], shape[-2:]):
        raise ValueError(
            f"The labels of {type(layer).__name__} must not be masks, which "
            "it would average instead of cutting them as the images. "
            f"Received: shape={shape}. Pass them under the key "
            "'segmentation_masks'."
        )


def _gathered(values, sources):
    """What belongs to the boxes of each part, one part after the other."""
    parts = sources.shape[1]
    own = values[:, : ops.shape(values)[1] // parts]
    found = [ops.take(own, sources[:, i], axis=0) for i in range(parts)]
    return ops.concatenate(found, axis=1)


def _padding_last(bounding_boxes):
    """The same boxes in the same order, but for those that are padding."""
    boxes = bounding_boxes["boxes"]
    count = ops.shape(boxes)[1]
    gone = ops.cast(ops.all(boxes == 0, axis=-1), "int32")
    order = ops.argsort(ops.arange(count, dtype="int32") + count * gone, axis=1)
    results = {}
    for key, values in bounding_boxes.items():
        more = tuple(range(2, len(values.shape)))
        index = ops.expand_dims(order, axis=more) if more else order
        results[key] = ops.take_along_axis(values, index, axis=1)
    return results

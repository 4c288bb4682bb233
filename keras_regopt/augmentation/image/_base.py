from collections.abc import Mapping, Sequence

from keras_regopt import _validate
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._layout import (
    channels_first,
    channels_last,
    spatial_axes,
)
from keras_regopt.augmentation.image._additional import checked_targets
from keras_regopt.augmentation.image._kind import IMAGES
from keras_regopt.augmentation.image._targets import TARGETS, with_visibility
from keras_regopt.augmentation.image.functional._boxes import from_xyxy, to_xyxy


class ImageAugmentation(RandomAugmentation):
    """Base of the random augmentations of images.

    Takes images of shape `(height, width, channels)`, or batches of them, or
    batches of clips, `(batch, time, height, width, channels)`, with one draw
    for all frames of a clip; or a dict with the keys of Keras, `images`,
    `labels`, `bounding_boxes` (a dict of `boxes` and `labels`) and
    `segmentation_masks`, and `keypoints`. Every other key passes untouched,
    and so do these but for the images, unless they are among the `targets` of
    the subclass, which then writes `apply_to_labels`, `apply_to_boxes`,
    `apply_to_masks` or `apply_to_keypoints`.

    Float images leave in the compute dtype of the layer. Integer images keep
    their dtype: results are rounded and held within its bounds.

    To `sample` and `apply`, images are batched, float and have their channels
    last, whatever their original layout. A subclass whose output has another
    size than its input writes `output_size` and `inference_parameters`, and
    sets `acts_in_inference`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`. Defaults to
            `None`, the format in Keras' own configuration.
        additional_targets: Keys of more images of the same scene, such as
            that of the right camera, which get what is drawn for `images`: a
            list of keys, or a dict that says of each whether it is `"images"`
            or `"segmentation_masks"`. Defaults to `None`: there are none.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among these values.
    """

    key = "images"
    element_rank = 3
    kind = IMAGES
    takes_clips = True
    target_kinds = {**RandomAugmentation.target_kinds, **TARGETS}

    # A subclass that moves pixels takes this as an argument.
    bounding_box_format = None
    min_visibility = 0.0

    boxes_are_checked = False

    def __init__(
        self,
        *,
        data_format: str | None = None,
        additional_targets: Sequence[str] | Mapping[str, str] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.data_format = _validate.data_format(self, data_format)
        self.additional_targets = checked_targets(self, additional_targets)

    @property
    def last_axis_first(self):
        return self.data_format == "channels_first"

    @property
    def spatial_axes(self):
        """The axes of the rows and of the columns, counted from the end."""
        return spatial_axes(self)

    def apply_to_boxes(self, boxes, parameters, shape):
        """What becomes of the bounding boxes of a batch.

        Args:
            boxes: Float32 tensor of shape `(batch, boxes, 4)`: left, top,
                right and bottom edge in pixels, the first pixel from 0 to 1.
            parameters: What `sample` returned.
            shape: What `sample` got.

        Returns:
            A tensor like `boxes`. It may reach out of the image.
        """
        return boxes

    def apply_to_masks(self, masks, parameters):
        """What becomes of the segmentation masks of a batch.

        Args:
            masks: Tensor of shape `(batch, height, width, channels)`.
            parameters: What `sample` returned.

        Returns:
            A tensor of the same dtype.
        """
        return masks

    def apply_to_keypoints(self, points, parameters, shape):
        """What becomes of the keypoints of a batch.

        Args:
            points: Float32 tensor of shape `(batch, points, 2)`: x and y in
                pixels, the center of the first pixel at 0.5.
            parameters: What `sample` returned.
            shape: What `sample` got.

        Returns:
            A tensor like `points`. It may reach out of the image.
        """
        return points

    def output_size(self, height, width):
        """The size of an output; here, that of the input.

        Args:
            height: The height of the input: an integer, `None` if it is not
                known, or a scalar tensor.
            width: The width, likewise.

        Returns:
            The height and the width of the output.
        """
        return height, width

    def compute_output_shape(self, input_shape):
        shape, (rows, columns) = list(input_shape), self.spatial_axes
        shape[rows], shape[columns] = self.output_size(
            shape[rows], shape[columns]
        )
        return tuple(shape)

    def output_shape(self, shape):
        return (shape[0], *self.output_size(*shape[1:3]), shape[3])

    def read(self, inputs):
        data = super().read(inputs)
        if (
            "bounding_boxes" in data
            and self.bounding_box_format is None
            and "bounding_boxes" in self.targets
        ):
            raise ValueError(
                f"`bounding_box_format` of {type(self).__name__} must be set "
                "if the inputs hold bounding boxes. "
                "Received: bounding_box_format=None"
            )
        return data

    def transform_boxes(self, bounding_boxes, parameters, shape):
        """What becomes of bounding boxes, in their own format."""
        size = shape[1:3]
        xyxy, alive = to_xyxy(bounding_boxes, self.bounding_box_format, *size)
        moved = self.apply_to_boxes(xyxy, parameters, shape)
        moved = from_xyxy(
            moved,
            alive,
            bounding_boxes,
            self.bounding_box_format,
            *self.output_size(*size),
            self.min_visibility,
        )
        return {**bounding_boxes, **moved}

    def transform_keypoints(self, keypoints, parameters, shape):
        """What becomes of keypoints, those beyond the image marked."""
        points = self.ops.cast(keypoints[..., :2], "float32")
        points = self.apply_to_keypoints(points, parameters, shape)
        size = self.output_size(*shape[1:3])
        return with_visibility(keypoints, points, size)

    def transform_masks(self, masks, parameters):
        """What becomes of masks, which may lack the axis of channels."""
        if len(masks.shape) == self.element_rank:
            masks = self.ops.expand_dims(masks, axis=-1)
            masks = self.apply_to_masks(masks, parameters)
            return self.ops.squeeze(masks, axis=-1)
        if self.data_format == "channels_last":
            return self.apply_to_masks(masks, parameters)
        masks = self.apply_to_masks(channels_last(masks), parameters)
        return channels_first(masks)

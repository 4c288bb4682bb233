from collections.abc import Mapping, Sequence

import keras

from keras_regopt import _validate
from keras_regopt.augmentation._base import RandomAugmentation, _is_overridden
from keras_regopt.augmentation._clips import changed_by_clips
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation.image._additional import (
    changed_targets,
    checked_targets,
    kinds_of,
    opened_targets,
)
from keras_regopt.augmentation.image._followers import (
    check_boxes,
    check_keypoints,
    check_masks,
    check_or_look_at_boxes,
)
from keras_regopt.augmentation.image._near_misses import look_at_keys
from keras_regopt.augmentation.image._ragged import padded, ragged_again
from keras_regopt.augmentation.image.functional._boxes import from_xyxy, to_xyxy

# What belongs to images, the method that changes it, and the check of it.
FOLLOWERS = {
    "bounding_boxes": ("apply_to_boxes", check_boxes),
    "segmentation_masks": ("apply_to_masks", check_masks),
    "keypoints": ("apply_to_keypoints", check_keypoints),
}


class ImageAugmentation(RandomAugmentation):
    """Base of the random augmentations of images.

    Takes images of shape `(height, width, channels)`, or batches of them, or
    batches of clips, `(batch, time, height, width, channels)`, with one draw
    for all frames of a clip; or a dict with the keys of Keras, `images`,
    `labels`, `bounding_boxes` (a dict of `boxes` and `labels`) and
    `segmentation_masks`, and `keypoints`. Every other key passes untouched,
    and so do these but for the images, unless the subclass writes
    `apply_to_labels`, `apply_to_boxes`, `apply_to_masks` or
    `apply_to_keypoints`.

    Float images leave in the compute dtype of the layer. Integer images keep
    their dtype: results are rounded and held within its bounds.

    To `sample` and `apply`, images are batched, float and have their channels
    last, whatever came. A subclass whose output has another size than its
    input writes `output_size`, and `at_rest`.

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
    takes_clips = True

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
    def spatial_axes(self):
        """The axes of the rows and of the columns, counted from the end."""
        return (-2, -1) if self.data_format == "channels_first" else (-3, -2)

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

    def compute_output_spec(self, inputs, training=None):
        outputs = super().compute_output_spec(inputs, training)
        if not isinstance(outputs, dict):
            return outputs
        masks = {"segmentation_masks": "segmentation_masks"}
        for key, kind in (masks | kinds_of(self)).items():
            if key in outputs:
                outputs[key] = self._spec(outputs[key], kind, outputs[self.key])
        return outputs

    def _spec(self, spec, kind, images):
        """What becomes of symbolic images or masks beside the images."""
        shape, dtype = tuple(spec.shape), spec.dtype
        if kind == "images":
            dtype = self._output_dtype(dtype)
        if len(shape) == len(images.shape):
            shape = self.compute_output_shape(shape)
        else:
            shape = (*shape[:-2], *self.output_size(*shape[-2:]))
        return keras.KerasTensor(shape, dtype)

    def _opened(self, inputs):
        data = super()._opened(inputs)
        if (
            "bounding_boxes" in data
            and self.bounding_box_format is None
            and self._moves("bounding_boxes")
        ):
            raise ValueError(
                f"`bounding_box_format` of {type(self).__name__} must be set "
                "if the inputs hold bounding boxes. "
                "Received: bounding_box_format=None"
            )
        return opened_targets(self, data) if isinstance(inputs, dict) else data

    def _look(self, inputs, tensor):
        super()._look(inputs, tensor)
        look_at_keys(self, inputs, tensor)

    def _changed(self, data, single, training):
        if len(data[self.key].shape) == self.element_rank + 2:
            keys = {self.key, *filter(self._moves, FOLLOWERS), *kinds_of(self)}
            return changed_by_clips(self, data, keys, training)
        data, found = padded(data, filter(self._moves, FOLLOWERS))
        return ragged_again(super()._changed(data, single, training), found)

    def _followers(self, data):
        followers = super()._followers(data)
        images = data[self.key]
        for key, (_, check) in FOLLOWERS.items():
            if key in data and self._moves(key):
                followers[key] = keras.tree.map_structure(
                    self.ops.convert_to_tensor, data[key]
                )
                check(self, followers[key], images)
        for key, kind in kinds_of(self).items():
            if key not in data:
                continue
            followers[key] = self.ops.convert_to_tensor(data[key])
            if kind != "images":
                check_masks(self, followers[key], images)
        return followers

    def _moves(self, key):
        return _is_overridden(self, FOLLOWERS[key][0], ImageAugmentation)

    def _follow(self, data, parameters, chosen, shape):
        results = super()._follow(data, parameters, chosen, shape)
        if "bounding_boxes" in data:
            before = data["bounding_boxes"]
            check_or_look_at_boxes(self, before, data[self.key], shape[1:3])
            after = self._boxes(before, parameters, shape)
            results["bounding_boxes"] = {
                k: self._select(chosen, after[k], before[k]) for k in after
            }
        if "segmentation_masks" in data:
            before = data["segmentation_masks"]
            after = run_compiled(self, "_masks", before, parameters)
            results["segmentation_masks"] = self._select(chosen, after, before)
        if "keypoints" in data:
            before = data["keypoints"]
            after = self._keypoints(before, parameters, shape)
            results["keypoints"] = self._select(chosen, after, before)
        return results | changed_targets(self, data, parameters, chosen)

    def _boxes(self, bounding_boxes, parameters, shape):
        """Boxes in the format in which they came."""
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

    def _keypoints(self, keypoints, parameters, shape):
        """Keypoints, those beyond the image marked if they can be."""
        ops = self.ops
        points = ops.cast(keypoints[..., :2], "float32")
        points = self.apply_to_keypoints(points, parameters, shape)
        dtype = keras.backend.standardize_dtype(keypoints.dtype)
        if not keras.backend.is_float_dtype(dtype):
            dtype = "float32"
        if keypoints.shape[-1] == 2:
            return ops.cast(points, dtype)
        height, width = self.output_size(*shape[1:3])
        size = ops.cast(ops.stack([width, height]), "float32")
        inside = ops.all((points >= 0) & (points <= size), axis=-1)
        seen = ops.cast(keypoints[..., 2:], dtype)
        seen = ops.where(inside[..., None], seen, ops.zeros_like(seen))
        return ops.concatenate([ops.cast(points, dtype), seen], axis=-1)

    def _masks(self, masks, parameters):
        """Masks, which may lack the axis of channels."""
        if len(masks.shape) == self.element_rank:
            masks = self.ops.expand_dims(masks, axis=-1)
            masks = self.apply_to_masks(masks, parameters)
            return self.ops.squeeze(masks, axis=-1)
        masks = self._channels_last(masks)
        return self._as_it_came(self.apply_to_masks(masks, parameters))

    def _sample_shape(self, tensor):
        shape = super()._sample_shape(tensor)
        if self.data_format == "channels_first":
            shape = (shape[0], *shape[2:], shape[1])
        return shape

    def _working(self, tensor):
        return self._channels_last(super()._working(tensor))

    def _finished(self, tensor, input_dtype):
        return self._as_it_came(super()._finished(tensor, input_dtype))

    def _channels_last(self, images):
        if self.data_format == "channels_last":
            return images
        return self.ops.transpose(images, (0, 2, 3, 1))

    def _as_it_came(self, images):
        if self.data_format == "channels_last":
            return images
        return self.ops.transpose(images, (0, 3, 1, 2))

"""What all augmentations of images, and their containers, have in common."""

import keras

from keras_regopt._validate import data_format, fail
from keras_regopt.augmentation._kind import Kind
from keras_regopt.augmentation._layout import spatial_axes
from keras_regopt.augmentation.image._additional import (
    checked_targets,
    kinds_of,
    read_additional,
)
from keras_regopt.augmentation.image._near_misses import look_at_keys
from keras_regopt.augmentation.image._targets import ADDITIONAL

# Heights and widths by which the outputs of layers are compared.
SIZES = ((96, 128), (131, 57))


class Images(Kind):
    """Images, with the channels last or first, and what belongs to them."""

    name = "images"
    takes_clips = True
    options = ("data_format", "additional_targets")

    def set_options(self, container, parts, options):
        container.data_format = data_format(container, options["data_format"])
        container.additional_targets = checked_targets(
            container, options["additional_targets"]
        )
        for part in parts:
            name = type(part).__name__
            if part.data_format != container.data_format:
                fail(
                    container,
                    "data_format",
                    f"that of its layers, '{part.data_format}' of {name}",
                    container.data_format,
                )
            own = container.additional_targets
            if part.additional_targets not in (None, own):
                fail(
                    container,
                    "additional_targets",
                    f"that of its layers, {part.additional_targets} of {name}",
                    own,
                )

    def read(self, layer, data):
        return read_additional(layer, data)

    def look(self, layer, inputs, tensor):
        if layer.mixes or isinstance(inputs, dict):
            look_at_keys(layer, inputs, tensor)

    def additional_targets(self, layer):
        if layer.additional_targets is None:
            return {}
        return {key: ADDITIONAL[kind] for key, kind in kinds_of(layer).items()}

    def output_spec(self, layer, outputs):
        masks = {"segmentation_masks": "segmentation_masks"}
        for key, kind in (masks | kinds_of(layer)).items():
            if key in outputs:
                outputs[key] = _spec(
                    layer, outputs[key], kind, outputs[layer.key]
                )
        return outputs

    def probes(self, layer):
        if layer.data_format == "channels_first":
            return [(3, *size) for size in SIZES]
        return [(*size, 3) for size in SIZES]


def size_after(layer, height, width):
    """The height and the width of what a layer makes of an image.

    Args:
        layer: An augmentation of images, or a container of such.
        height: The height of the input, an integer or `None`.
        width: The width, likewise.
    """
    first = layer.data_format == "channels_first"
    shape = (1, height, width) if first else (height, width, 1)
    after = layer.compute_output_shape(shape)
    rows, columns = spatial_axes(layer)
    return after[rows], after[columns]


def _spec(layer, spec, kind, images):
    """What becomes of symbolic masks, or of images besides the data."""
    shape, dtype = tuple(spec.shape), spec.dtype
    if kind == "images":
        dtype = layer.output_dtype(dtype)
    if len(shape) == len(images.shape):
        shape = layer.compute_output_shape(shape)
    else:
        shape = (*shape[:-2], *size_after(layer, *shape[-2:]))
    return keras.KerasTensor(shape, dtype)


IMAGES = Images()

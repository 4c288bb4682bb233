"""Bases of the image augmentations that hold others."""

from keras_regopt._validate import fail
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._containers import Chain, Container
from keras_regopt.augmentation.image._additional import read_additional
from keras_regopt.augmentation.image._base import ImageAugmentation


class ImageContainer(Container, ImageAugmentation):
    """Base of the image augmentations that hold others.

    A subclass writes what `Container` asks for, and `transform_masks`.

    Args:
        **kwargs: `rate`, `seed` and `data_format` of `ImageAugmentation`, and
            `name` and `dtype` of a Keras layer.
    """

    def read(self, inputs):
        data = super().read(inputs)
        return read_additional(self, data) if isinstance(inputs, dict) else data

    def _checked_parts(self, argument, layers):
        """A list of image augmentations that can be in one container."""
        for layer in layers:
            if not isinstance(layer, ImageAugmentation):
                fail(
                    self,
                    argument,
                    "image augmentations of keras_regopt",
                    layer,
                    "Keras' own random layers draw once for a batch, so a "
                    "container has no say over them: put them next to it, in "
                    "a `keras.Sequential`.",
                )
            if layer.data_format != self.data_format:
                fail(
                    self,
                    "data_format",
                    f"that of its layers, '{layer.data_format}' of "
                    f"{type(layer).__name__}",
                    self.data_format,
                )
            if layer.additional_targets not in (None, self.additional_targets):
                fail(
                    self,
                    "additional_targets",
                    f"that of its layers, {layer.additional_targets} of "
                    f"{type(layer).__name__}",
                    self.additional_targets,
                )
        return list(layers)


class ImageChain(Chain, ImageContainer):
    """Base of the containers in which images go through layer after layer.

    Args:
        **kwargs: See `ImageContainer`.
    """

    def output_size(self, height, width):
        for part in self.parts:
            height, width = part.output_size(height, width)
        return height, width

    def transform_masks(self, masks, parameters):
        for layer, (part, chosen) in self.acting(parameters):
            if "segmentation_masks" in layer.targets:
                moved = layer.transform_masks(masks, part)
                masks = select(chosen, moved, masks)
        return masks

from collections.abc import Sequence
from typing import TypeAlias

import keras

from keras_regopt import _validate
from keras_regopt._export import DrawsInService
from keras_regopt._keras import data_ops as ops
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._registry import register
from keras_regopt.augmentation._layout import sample_shape
from keras_regopt.augmentation.image._base import ImageAugmentation

View: TypeAlias = str | ImageAugmentation
FLIPS = ("horizontal", "vertical", "both")

# Sizes of images by which it is seen whether views keep them.
PROBES = ((96, 128), (131, 57))


@register
class Averaged(DrawsInService, ModelWrapper):
    """Predicts the mean over several views of each image.

    Test-time augmentation: a trained model that sees an image, its mirror
    image and a few shifted ones makes fewer mistakes than one that sees the
    image alone, at as many times the cost. All views go through the model as
    one batch.

        model = Averaged(model, ["horizontal"])
        model.predict(images)

    Here alone augmentation acts in inference: in `predict`,
    `evaluate`, `model(x)` and the exported model, since that is what it is
    for. In training the model within gets the images as they are.

    The views are the same in every call and for every image: what is random
    in a layer is drawn once a view, from the seed of the layer, or from 0 if
    it has none. So a prediction depends on the image alone, and a saved or
    exported model repeats it. (On another backend of Keras the same seed means
    other draws.) It is the mean of whatever the model returns;
    average probabilities rather than logits, and nothing that has a position in
    the image, such as boxes or masks.

    Args:
        model: The model, of one input of images, whose outputs are floats.
        augmentations: List of what makes the views: `"horizontal"`,
            `"vertical"` or `"both"`, for the image flipped that direction, and
            image augmentations of this package that keep the size of the
            image and mix no images. Or one such layer.
        samples: Number of views of each random layer, at least 1. Defaults to
            `1`.
        identity: Whether the image itself is one of the views. Defaults to
            `True`.
        data_format: `"channels_last"` or `"channels_first"`. Defaults to
            `None`, the format in Keras' own configuration.
        **kwargs: Keras' arguments of every model, such as `name`.

    Input shape:
        `(batch, height, width, channels)`, or with the channels first.

    Output shape:
        As of the model.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> model = keras.Sequential([keras.layers.Flatten()])
        >>> averaged = Averaged(model, ["horizontal"])
        >>> image = np.array([[[[1.0], [3.0]]]], "float32")
        >>> keras.ops.convert_to_numpy(averaged(image)).tolist()
        [[2.0, 2.0]]

    References:
        Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with
        deep convolutional neural networks, section 4.1.
    """

    def __init__(
        self,
        model: keras.Model,
        augmentations: View | Sequence[View],
        samples: int = 1,
        identity: bool = True,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(model, **kwargs)
        self.data_format = _validate.data_format(self, data_format)
        self.augmentations = self._checked(augmentations)
        self.samples = _validate.positive_int(self, "samples", samples)
        self.identity = _validate.boolean(self, "identity", identity)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.build_as_within()

    def call(self, inputs, training=None):
        if training:
            return super().call(inputs, training)
        views = self._views(inputs)
        outputs = super().call(ops.concatenate(views, axis=0), training)
        return keras.tree.map_structure(
            lambda output: self._mean(output, len(views)), outputs
        )

    def compute_output_spec(self, inputs, training=None):
        return self.model.compute_output_spec(inputs)

    def compute_output_shape(self, input_shape):
        return self.model.compute_output_shape(input_shape)

    def _views(self, images):
        """All views, each of the shape of the images."""
        views = [images] if self.identity else []
        for augmentation in self.augmentations:
            if augmentation in FLIPS:
                views.append(self._flipped(images, augmentation))
                continue
            seed = _Repeated(augmentation.seed or 0)
            views.extend(
                self._augmented(images, augmentation, seed)
                for _ in range(self.samples)
            )
        return views

    def _flipped(self, images, direction):
        across = 3 if self.data_format == "channels_first" else 2
        axes = {
            "horizontal": across,
            "vertical": across - 1,
            "both": (across - 1, across),
        }
        return ops.flip(images, axis=axes[direction])

    def _augmented(self, images, layer, seed):
        layer.look(images, images)
        batch, *shape = sample_shape(layer, images)
        # One draw for all, so that it does not matter where an image stands.
        drawn = layer.draw((1, *shape), True, seed)
        parameters, chosen = keras.tree.map_structure(
            lambda x: None if x is None else ops.repeat(x, batch, axis=0),
            drawn,
        )
        view = layer.transform(images, parameters, chosen)
        return ops.cast(view, images.dtype)

    def _mean(self, output, views):
        shape = ops.shape(output)
        split = ops.reshape(output, (views, shape[0] // views, *shape[1:]))
        dtype = keras.backend.standardize_dtype(output.dtype)
        compute_dtype = keras.backend.result_type(dtype, "float32")
        return ops.cast(ops.mean(ops.cast(split, compute_dtype), axis=0), dtype)

    def _checked(self, augmentations):
        if isinstance(augmentations, (str, ImageAugmentation)):
            augmentations = [augmentations]
        allowed = (
            'a list of "horizontal", "vertical", "both" and image '
            "augmentations of keras_regopt that keep the size of images and "
            "mix none"
        )
        good = isinstance(augmentations, (list, tuple)) and augmentations
        for part in augmentations if good else []:
            if isinstance(part, str):
                good = good and part in FLIPS
                continue
            good = (
                good
                and isinstance(part, ImageAugmentation)
                and not part.mixes
                and part.data_format == self.data_format
                and all(part.output_size(*size) == size for size in PROBES)
            )
        if not good:
            _validate.fail(self, "augmentations", allowed, augmentations)
        return list(augmentations)


class _Repeated(keras.random.SeedGenerator):
    """Seeds that count from the same start in every call, without a state."""

    def __init__(self, seed):
        self._seed = seed
        self._count = 0

    def next(self, ordered=True):
        self._count += 1
        return keras.ops.convert_to_tensor([self._seed, self._count], "uint32")

from collections.abc import Sequence
from typing import TypeAlias

import keras

from keras_regopt import _validate
from keras_regopt._export import DrawsInService
from keras_regopt._keras import data_ops as ops
from keras_regopt._model_wrapper import ModelWrapper
from keras_regopt._registry import register
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._layout import sample_shape
from keras_regopt.augmentation.image._kind import IMAGES

View: TypeAlias = str | RandomAugmentation
FLIPS = ("horizontal", "vertical", "both")


@register
class Averaged(DrawsInService, ModelWrapper):
    """Predicts the mean over several views of each element, such as an image.

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
        model: The model, of one input, whose outputs are floats.
        augmentations: List of what makes the views: augmentations of this
            package, all of one kind of numbers, that keep the shape and mix
            nothing; and for images `"horizontal"`, `"vertical"` or `"both"`,
            for the image flipped that direction. Or one of these.
        samples: Number of views of each random layer, at least 1. Defaults to
            `1`.
        identity: Whether the image itself is one of the views. Defaults to
            `True`.
        data_format: `"channels_last"` or `"channels_first"`. Defaults to
            `None`, for images the format in Keras' own configuration.
        **kwargs: Keras' arguments of every model, such as `name`.

    Input shape:
        `(batch, height, width, channels)`, or with the channels first; for
        other data, a batch of what the augmentations take.

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
        self.data_format = data_format
        self.augmentations = self._checked(augmentations)
        self.samples = _validate.positive_int(self, "samples", samples)
        self.identity = _validate.boolean(self, "identity", identity)
        self.input_spec = keras.layers.InputSpec(ndim=self._rank + 1)
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
        parameters = layer.resolved(images, {}, parameters)
        view = layer.transform(images, parameters, chosen)
        return ops.cast(view, images.dtype)

    def _mean(self, output, views):
        shape = ops.shape(output)
        split = ops.reshape(output, (views, shape[0] // views, *shape[1:]))
        dtype = keras.backend.standardize_dtype(output.dtype)
        compute_dtype = keras.backend.result_type(dtype, "float32")
        return ops.cast(ops.mean(ops.cast(split, compute_dtype), axis=0), dtype)

    def _checked(self, augmentations):
        if isinstance(augmentations, (str, RandomAugmentation)):
            augmentations = [augmentations]
        if not isinstance(augmentations, (list, tuple)) or not augmentations:
            return self._refuse(augmentations)
        layers = [x for x in augmentations if not isinstance(x, str)]
        if not all(isinstance(x, RandomAugmentation) for x in layers):
            return self._refuse(augmentations)
        kind = layers[0].kind if layers else IMAGES
        kind.set_options(self, [], self._options(kind))
        self._rank = layers[0].element_rank if layers else 3
        flips = [x for x in augmentations if isinstance(x, str)]
        good = not flips or (kind is IMAGES and set(flips) <= set(FLIPS))
        if not good or not all(self._is_view(x, layers[0]) for x in layers):
            return self._refuse(augmentations)
        return list(augmentations)

    def _options(self, kind):
        options = {"data_format": self.data_format}
        return options | dict.fromkeys(set(kind.options) - set(options))

    def _is_view(self, layer, first):
        """Whether what a layer makes can be averaged with other views."""
        alike = ("key", "element_rank", "data_format")
        return (
            not layer.mixes
            and not layer.holds_strings
            and all(getattr(layer, x) == getattr(first, x) for x in alike)
            and layer.data_format == self.data_format
            and all(
                layer.compute_output_shape(shape) == shape
                for shape in layer.kind.probes(layer)
            )
        )

    def _refuse(self, augmentations):
        _validate.fail(
            self,
            "augmentations",
            'a list of "horizontal", "vertical", "both" and augmentations of '
            "keras_regopt, all of one kind of numbers, that keep the shape "
            "and mix nothing",
            augmentations,
        )


class _Repeated(keras.random.SeedGenerator):
    """Seeds that count from the same start in every call, without a state."""

    def __init__(self, seed):
        self._seed = seed
        self._count = 0

    def next(self, ordered=True):
        self._count += 1
        return keras.ops.convert_to_tensor([self._seed, self._count], "uint32")

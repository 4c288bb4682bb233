import functools
from collections.abc import Sequence

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation._containers import Container
from keras_regopt.augmentation._layout import cast_within
from keras_regopt.augmentation._probabilities import (
    checked_probabilities,
    drawn_number,
)
from keras_regopt.augmentation._switch_map import switch_map
from keras_regopt.augmentation.image._kind import size_after


@register
class Choice(Container):
    """Puts each element through one of several augmentations of one kind.

    Which one is drawn for each element by itself. Of images, and of waveforms
    and spectrograms without other targets than labels, only that one is
    computed; else all are, and that one is taken. Bounding boxes, masks,
    keypoints and whatever belongs to an element go with it.

    Layers that mix the elements of a batch cannot be chosen one by one:
    `RandomMix` is for them.

    Args:
        layers: List of at least one augmentation of this package, all of one
            kind, whose outputs all have the same size.
        probabilities: List of positive numbers, one a layer, in proportion to
            which they are drawn. Defaults to `None`: all alike.
        seed: Integer that fixes all draws, also those of the layers. Defaults
            to `None`: each layer draws from its own seed.
        **kwargs: `rate` (the probability that an element is augmented at
            all), for images `data_format` and `additional_targets`, and
            `name` and `dtype` of a Keras layer.

    Input shape:
        That of each layer.

    Output shape:
        That of each layer.

    Raises:
        ValueError: If `layers` holds anything else, nothing, layers of
            several kinds, of another `data_format`, of different output
            sizes, or some that mix, or if `probabilities` does not fit.

    Examples:
        >>> from keras_regopt.augmentation import (
        ...     RandomAffine, RandomGaussianNoise)
        >>> layer = Choice([RandomAffine(), RandomGaussianNoise()],
        ...                probabilities=[3, 1], seed=0)
        >>> layer(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 32, 32, 3)
        True
    """

    def __init__(
        self,
        layers: Sequence[RandomAugmentation],
        probabilities: Sequence[float] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        if not isinstance(layers, (list, tuple)) or not layers:
            fail(self, "layers", "a list of augmentations", layers)
        self.layers = self._hold("layers", layers)
        if self.mixes:
            remedy = "RandomMix chooses among those."
            allowed = "layers that do not mix"
            fail(self, "layers", allowed, layers, remedy)
        sizes = {
            tuple(layer.compute_output_shape(x) for x in self.kind.probes(self))
            for layer in self.layers
        }
        if len(sizes) > 1:
            allowed = "layers whose outputs have the same size"
            fail(self, "layers", allowed, layers)
        self.probabilities = checked_probabilities(
            self, probabilities, len(self.layers)
        )

    @property
    def parts(self):
        return self.layers

    def output_shape(self, shape):
        return self.layers[0].output_shape(shape)

    def compute_output_shape(self, input_shape):
        return self.layers[0].compute_output_shape(input_shape)

    def draw(self, shape, training, seed=None, among=None):
        """The number of the layer of each image, and the draws of all layers.

        One more than the last number is for images that stay as they are.
        """
        if not training:
            if self._acting_in_inference is None:
                return None, None
            layer = self.layers[self._acting_in_inference]
            return {"inference": layer.draw(shape, False)[0]}, None
        ops = self.ops
        seed, own = self._seeds_for(seed)
        among = self.choose(shape, own, among)
        (draw,) = self.uniforms(1, shape[0], own)
        still = len(self.layers)
        number = drawn_number(draw, self.probabilities, still)
        if among is not None:
            spared = (
                still
                if self._acting_in_inference is None
                else self._acting_in_inference
            )
            number = ops.where(among, number, spared)
        drawn = []
        for index, layer in enumerate(self.layers):
            mine = number == index
            if among is not None:
                mine = ops.logical_and(mine, among)
            parameters, chosen = layer.draw(shape, True, seed, mine)
            drawn.append(parameters)
            if chosen is not None:
                turned_down = ops.logical_and(mine, ops.logical_not(chosen))
                number = ops.where(turned_down, still, number)
        return {"number": number, "drawn": drawn}, None

    def advance(self, tensor, targets, parameters, chosen, shape):
        others = set(targets) & {*self.kinds_to_read()} - {"labels"}
        all_are_needed = others and self.hangs_on_data()
        if not (self.holds_strings or all_are_needed):
            return super().advance(tensor, targets, parameters, chosen, shape)
        if "inference" in parameters:
            layer = self.layers[self._acting_in_inference]
            drawn = parameters["inference"]
            return layer.advance(tensor, targets, drawn, None, shape)
        return self._one_of_all(tensor, targets, parameters, shape)

    def _one_of_all(self, tensor, targets, parameters, shape):
        """Computes all layers, and takes of each element the one chosen."""
        dtype = self.output_dtype(tensor.dtype)
        result, changed = None, {}
        for index, layer in enumerate(self.layers):
            drawn = parameters["drawn"][index]
            mine = parameters["number"] == index
            output, moved = layer.advance(tensor, targets, drawn, None, shape)
            output = cast_within(output, dtype)
            if result is None:
                alike = tuple(output.shape) == tuple(tensor.shape)
                result = cast_within(tensor, dtype) if alike else output
            result = select(mine, output, result)
            _take(changed, mine, moved, targets)
        return result, changed

    def transform(self, tensor, parameters, chosen):
        dtype = self.output_dtype(tensor.dtype)

        def applied(layer, elements, drawn):
            drawn = layer.resolved(elements, {}, drawn)
            return cast_within(layer.transform(elements, drawn, None), dtype)

        return self._by_choice(tensor, parameters, applied, dtype)

    def transform_masks(self, masks, parameters):
        def moved(layer, masks, drawn):
            if "segmentation_masks" not in layer.targets:
                return masks
            return layer.transform_masks(masks, drawn)

        return self._by_choice(masks, parameters, moved, masks.dtype)

    def move_targets(self, data, parameters, chosen, shape):
        data, changed = dict(data), {}
        if "segmentation_masks" in data:
            masks = data.pop("segmentation_masks")
            changed["segmentation_masks"] = run_compiled(
                self, "transform_masks", masks, parameters
            )
        if "inference" in parameters:
            layer = self.layers[self._acting_in_inference]
            return changed | layer.move_targets(
                data, parameters["inference"], None, shape
            )
        for index, layer in enumerate(self.layers):
            drawn = parameters["drawn"][index]
            mine = parameters["number"] == index
            moved = layer.move_targets(data, drawn, None, shape)
            _take(changed, mine, moved, data)
        return changed

    def _by_choice(self, tensor, parameters, function, dtype):
        """What a function of layer, images and draws gives for each image."""
        if "inference" in parameters:
            layer = self.layers[self._acting_in_inference]
            return function(layer, tensor, parameters["inference"])
        functions = [
            lambda images, drawn, i=i, layer=layer: function(
                layer, images, drawn[i]
            )
            for i, layer in enumerate(self.layers)
        ]
        shape = self._shape_after(tensor)
        if shape == tuple(tensor.shape)[1:]:
            functions.append(lambda images, drawn: self.ops.cast(images, dtype))
        steps = keras.tree.map_structure(
            lambda x: None if x is None else x[:, None], parameters["drawn"]
        )
        number = parameters["number"][:, None]
        return switch_map(tensor, number, functions, steps, (shape, dtype))

    def _shape_after(self, tensor):
        """The shape of one output, of images or of masks."""
        shape = tuple(tensor.shape)[1:]
        if len(shape) == self.element_rank:
            return self.compute_output_shape(shape)
        return size_after(self, *shape)

    @property
    def _acting_in_inference(self):
        """Which layer also changes images in inference, if one does."""
        for index, layer in enumerate(self.layers):
            if layer.acts_in_inference:
                return index
        return None


def _take(changed, mine, moved, data):
    """Adds to what changed the targets of the elements of one layer."""
    for key, new in moved.items():
        if key in changed or key in data:
            old = changed.get(key, data.get(key))
        else:
            old = keras.tree.map_structure(ops.zeros_like, new)
        if isinstance(new, dict):
            old = {name: old[name] for name in new}
        changed[key] = keras.tree.map_structure(
            functools.partial(select, mine), new, old
        )

from collections.abc import Sequence

import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, one_of
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation.image._mixing import MixingAugmentation


@register
class RandomMix(MixingAugmentation):
    """Mixes the images of a batch by one of several layers, drawn at random.

    Recipes for strong classifiers use `MixUp` and `CutMix` by turns, and now
    and then neither: `rate` says how often. Which layer mixes is drawn for
    each image, or once for the batch.

    The draws are all made from the seed of this layer; a `rate` of a layer
    within still holds. Labels, boxes and masks follow the rules of the layer
    that was drawn. If one of the layers is a `Mosaic`, there is room for four
    times as many boxes, else for twice as many.

    Args:
        layers: List of layers that mix images: `MixUp`, `CutMix`, `Mosaic`,
            `RandomMix`.
        probabilities: List of positive numbers, one a layer, in proportion to
            which they are drawn. Defaults to `None`: all alike.
        per: `"image"` or `"batch"`, what a layer is drawn for. Defaults to
            `"image"`.
        num_classes: Number of classes, at least 2, for labels that are
            integers. Defaults to `None`: that of the layers.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats. Defaults to `None`: that of the layers.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image is mixed at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(batch, height, width, channels)`, or with the channels first, or a
        dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above, if layers
            disagree on `num_classes` or `bounding_box_format`, if images come
            one by one, or if labels are integers and `num_classes` is not
            set.

    Examples:
        >>> from keras_regopt.augmentation import CutMix, MixUp
        >>> layer = RandomMix([MixUp(), CutMix()], num_classes=10, seed=0)
        >>> data = {"images": np.zeros((8, 4, 4, 1)), "labels": np.arange(8)}
        >>> tuple(layer(data)["labels"].shape)
        (8, 10)

    References:
        Wightman, Touvron and Jegou 2021, ResNet strikes back: an improved
        training procedure in timm (arXiv 2110.00476), which draws one of
        mixup and CutMix.
    """

    def __init__(
        self,
        layers: Sequence[MixingAugmentation],
        probabilities: Sequence[float] | None = None,
        per: str = "image",
        num_classes: int | None = None,
        bounding_box_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        layers = _mixing_layers(self, layers)
        super().__init__(
            num_classes=_agreed(self, "num_classes", num_classes, layers),
            bounding_box_format=_agreed(
                self, "bounding_box_format", bounding_box_format, layers
            ),
            seed=seed,
            **kwargs,
        )
        self.layers = layers
        self.probabilities = _checked(self, probabilities, len(layers))
        self.per = one_of(self, "per", per, ("image", "batch"))
        self.mixed_count = max(layer.mixed_count for layer in layers)
        self.computes_in_floats = any(x.computes_in_floats for x in layers)
        self.blends = all(layer.blends for layer in layers)

    def sample(self, shape, seed):
        ops = self.ops
        turn, coin = self.uniforms(2, shape[0], seed)
        choice = self._choice(turn, coin)
        own = ops.arange(shape[0], dtype="int32")[:, None]
        # Where nothing mixes, an image is made of itself alone.
        weights = ops.ones_like(turn)[:, None]
        sources, weights = self._with_room(own, weights, own)
        parts = [layer.sample(shape, seed) for layer in self.layers]
        for number, part in enumerate(parts):
            mine = choice == number
            found = self._with_room(part["sources"], part["weights"], own)
            sources = select(mine, found[0], sources)
            weights = select(mine, found[1], weights)
        return {
            "sources": sources,
            "weights": weights,
            "choice": choice,
            "layers": parts,
        }

    def apply(self, inputs, parameters):
        return self._in_turn("apply", inputs, parameters)

    def apply_to_masks(self, masks, parameters):
        return self._in_turn("apply_to_masks", masks, parameters)

    def apply_to_boxes(self, boxes, parameters, shape):
        ops = self.ops
        count = ops.shape(boxes)[1] // self.mixed_count
        none = ops.zeros_like(boxes[:, count:])
        result = ops.concatenate([boxes[:, :count], none], axis=1)
        for number, layer in enumerate(self.layers):
            room = count * layer.mixed_count
            part = parameters["layers"][number]
            moved = layer.apply_to_boxes(boxes[:, :room], part, shape)
            none = ops.zeros_like(boxes[:, room:])
            moved = ops.concatenate([moved, none], axis=1)
            mine = parameters["choice"] == number
            result = select(mine, moved, result)
        return result

    def _choice(self, turn, coin):
        """The number of the layer for each image, -1 for none."""
        ops = self.ops
        if self.per == "batch":
            turn = turn[:1] + ops.zeros_like(turn)
        odds = self.probabilities or [1] * len(self.layers)
        ends = (np.cumsum(odds) / np.sum(odds)).astype("float32")
        passed = turn[:, None] >= ops.convert_to_tensor(ends[None, :-1])
        choice = ops.sum(ops.cast(passed, "int32"), axis=1)
        rates = np.array([layer.rate for layer in self.layers], "float32")
        acts = coin < ops.take(ops.convert_to_tensor(rates), choice, axis=0)
        return ops.where(acts, choice, -1)

    def _with_room(self, sources, weights, own):
        """Sources and weights for as many parts as any layer has."""
        ops = self.ops
        missing = self.mixed_count - weights.shape[1]
        own = ops.cast(own, sources.dtype)
        none = ops.zeros_like(weights[:, :1])
        return (
            ops.concatenate([sources] + [own] * missing, axis=1),
            ops.concatenate([weights] + [none] * missing, axis=1),
        )

    def _in_turn(self, method, tensor, parameters):
        """What each layer makes of the images that drew it."""
        result = tensor
        for number, layer in enumerate(self.layers):
            part = parameters["layers"][number]
            changed = getattr(layer, method)(tensor, part)
            mine = parameters["choice"] == number
            result = select(mine, changed, result)
        return result


def _mixing_layers(owner, layers):
    good = isinstance(layers, (list, tuple)) and layers
    if not good or not all(isinstance(x, MixingAugmentation) for x in layers):
        allowed = "a list of layers that mix images, such as MixUp()"
        fail(owner, "layers", allowed, layers)
    return list(layers)


def _agreed(owner, argument, value, layers):
    """The value of an argument, or else that which the layers have."""
    values = {getattr(layer, argument) for layer in layers} | {value}
    values -= {None}
    if len(values) > 1:
        fail(owner, argument, "the same as that of every layer", value)
    return next(iter(values), None)


def _checked(owner, probabilities, count):
    if probabilities is None:
        return None
    good = isinstance(probabilities, (list, tuple))
    if not good or len(probabilities) != count:
        allowed = f"a list of {count} numbers > 0, one a layer"
        fail(owner, "probabilities", allowed, probabilities)
    return [in_range(owner, "probabilities", p, above=0) for p in probabilities]

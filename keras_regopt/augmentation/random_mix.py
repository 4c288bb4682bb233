from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import fail, one_of
from keras_regopt.augmentation._containers import Chain, Plan
from keras_regopt.augmentation._mixing import Mixing
from keras_regopt.augmentation._parts import check_parts
from keras_regopt.augmentation._probabilities import checked_probabilities


@register
class RandomMix(Chain):
    """Mixes the elements of a batch by one of several layers, drawn at random.

    Recipes for strong classifiers use `MixUp` and `CutMix` by turns, and now
    and then neither: `rate` says how often. Which layer mixes is drawn for
    each element, or once for the batch.

    The draws are all made from the seed of this layer; a `rate` of a layer
    within still holds. Labels, boxes and masks, lengths and other waveforms
    follow the rules of the layer that was drawn. If one of the layers is a
    `Mosaic`, there is room for four times as many boxes, else for twice as
    many.

    Args:
        layers: List of layers that mix, all of one kind of data: `MixUp`,
            `CutMix` and `Mosaic`, or `AudioMixUp` and `AudioCutMix`, or
            several `RandomMix` of such.
        probabilities: List of positive numbers, one a layer, in proportion to
            which they are drawn. Defaults to `None`: all alike.
        per: `"image"` or `"batch"`, what a layer is drawn for. Of other data
            than images, `"image"` is an element. Defaults to `"image"`.
        num_classes: Number of classes, at least 2, for labels that are
            integers. Defaults to `None`: that of the layers.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, for images alone. Defaults to `None`: that of the
            layers.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an element is mixed at all),
            for images `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        That of the layers, always a batch.

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
        layers: Sequence[Mixing],
        probabilities: Sequence[float] | None = None,
        per: str = "image",
        num_classes: int | None = None,
        bounding_box_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.layers = _mixing_layers(self, layers)
        check_parts(self, "layers", self.layers)
        # The layers lend what they do with a batch that comes in this format.
        self._set_options([])
        self.probabilities = checked_probabilities(
            self, probabilities, len(layers)
        )
        self.per = one_of(self, "per", per, ("image", "batch"))
        self.num_classes = _agreed(self, "num_classes", num_classes, layers)
        self.bounding_box_format = _agreed(
            self, "bounding_box_format", bounding_box_format, layers
        )
        self._plan = Plan([self._made()])

    @property
    def parts(self):
        # Before it is made, what it is made of tells the kind of data.
        plan = vars(self).get("_plan")
        return self.layers if plan is None else plan.stages[0].leaves

    def draw_by_leaves(self, shape, training, seed, among):
        # The one layer has the rate, and all draws are made from this seed.
        seed = self._seeds.current() if seed is None else seed
        return [self.parts[0].draw(shape, training, seed, among)]

    def _made(self):
        """The one layer that mixes by all of the layers."""
        arguments = {
            "num_classes": self.num_classes,
            "rate": self.rate,
            "dtype": self.dtype_policy,
            "name": self.name,
        }
        layers = [_leaf(layer) for layer in self.layers]
        first = layers[0]
        arguments |= {name: getattr(self, name) for name in self.kind.options}
        if self.bounding_box_format is not None:
            if not hasattr(first, "bounding_box_format"):
                fail(
                    self,
                    "bounding_box_format",
                    f"None for {self.kind.name}",
                    self.bounding_box_format,
                )
            arguments["bounding_box_format"] = self.bounding_box_format
        arguments |= {name: getattr(first, name) for name in first.shared}
        return first.in_turn(layers, self.probabilities, self.per, **arguments)


def _mixing_layers(owner, layers):
    good = isinstance(layers, (list, tuple)) and layers
    kinds = (Mixing, RandomMix)
    if not good or not all(isinstance(x, kinds) for x in layers):
        allowed = "a list of layers that mix, such as MixUp()"
        fail(owner, "layers", allowed, layers)
    return list(layers)


def _leaf(layer):
    """The one layer that a `RandomMix` is, or any other as it is."""
    return layer.parts[0] if isinstance(layer, RandomMix) else layer


def _agreed(owner, argument, value, layers):
    """The value of an argument, or else that which the layers have."""
    values = {getattr(layer, argument, None) for layer in layers} | {value}
    values -= {None}
    if len(values) > 1:
        fail(owner, argument, "the same as that of every layer", value)
    return next(iter(values), None)

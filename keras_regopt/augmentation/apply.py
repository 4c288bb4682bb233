from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._containers import Chain, Plan


@register
class Apply(Chain):
    """Augments some elements by a layer, and leaves the others.

    Which ones is drawn for each element by itself. It is for layers that you
    did not make, and for a `Compose` or a `Choice`: for others,
    `RandomAffine(rate=0.5)` is the same as `Apply(RandomAffine(), rate=0.5)`.
    A layer that gives images another size does so to the others as it does
    in inference.

    Args:
        layer: Any augmentation of this package.
        rate: Probability from 0 to 1 that an element is augmented. Defaults to
            `0.5`.
        seed: Integer that fixes all draws, also those of the layer. Defaults
            to `None`: the layer draws from its own seed.
        **kwargs: For images `data_format` and `additional_targets`, and
            `name` and `dtype` of a Keras layer.

    Input shape:
        That of the layer.

    Output shape:
        That of the layer.

    Raises:
        ValueError: If `rate` is out of bounds, or `layer` is anything else or
            has another `data_format`.

    Examples:
        >>> from keras_regopt.augmentation import RandomAffine
        >>> layer = Apply(RandomAffine(rotation=(0.5, 0.5), flip=None, zoom=0,
        ...                            translation=0), rate=0.25, seed=0)
        >>> images = np.zeros((400, 2, 2, 1))
        >>> images[:, 0, 0] = 1
        >>> turned = keras.ops.convert_to_numpy(layer(images))[:, 1, 1]
        >>> 0.2 < float(turned.mean()) < 0.3
        True
    """

    def __init__(
        self,
        layer: RandomAugmentation,
        rate: float = 0.5,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.rate = in_range(self, "rate", rate, 0, 1)
        (self.layer,) = self._hold("layer", [layer])
        self._plan = Plan(self.parts)

    @property
    def parts(self):
        return [self.layer]

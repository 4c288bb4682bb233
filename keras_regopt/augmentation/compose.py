from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._containers import Chain, Plan


@register
class Compose(Chain):
    """Puts data through several augmentations, one after the other.

    The layers are of one kind: all for images, all for waveforms of one form,
    all for spectrograms, for token ids or for strings. The container is of
    their kind, too.

    It does what the same layers do in a row, and more of it at once. Of
    images, neighbours that only move pixels (`RandomAffine`,
    `RandomPerspective`, the crops) and agree on `fill_mode`, `fill_value`,
    `interpolation` and `dtype` become a single warp. That is faster, blurs
    once instead of each time, and does not cut off what one layer moves out
    of the frame and the next moves in again: only the edges of the first
    image count. Bounding boxes, masks and keypoints follow the same single
    warp. Neighbours of other kinds are merged likewise where their
    descriptions say so.

    Containers may hold containers. Of layers that mix a batch, such as
    `MixUp`, it may hold one, or any number of them within a `RandomMix`.

    Args:
        layers: List of at least one augmentation of this package, all of one
            kind.
        seed: Integer that fixes all draws, also those of the layers. Defaults
            to `None`: each layer draws from its own seed.
        **kwargs: `rate` (the probability that an element is augmented at all,
            by all layers or by none), for images `data_format` and
            `additional_targets`, and `name` and `dtype` of a Keras layer.

    Input shape:
        That of the first layer.

    Output shape:
        That of the last layer.

    Raises:
        ValueError: If `layers` holds anything else, nothing, layers of
            several kinds or of another `data_format`, or two that mix.

    Examples:
        >>> from keras_regopt.augmentation import (
        ...     RandomAffine, RandomGaussianNoise)
        >>> layer = Compose([RandomAffine(), RandomGaussianNoise()], seed=0)
        >>> layer(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 32, 32, 3)
        True
    """

    def __init__(
        self,
        layers: Sequence[RandomAugmentation],
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        if not isinstance(layers, (list, tuple)) or not layers:
            fail(self, "layers", "a list of augmentations", layers)
        self.layers = self._hold("layers", layers)
        if sum(layer.mixes for layer in self.layers) > 1:
            remedy = "Put those into one RandomMix."
            allowed = "layers of which at most one mixes"
            fail(self, "layers", allowed, layers, remedy)
        self._plan = Plan(self.parts)

    @property
    def parts(self):
        return self.layers

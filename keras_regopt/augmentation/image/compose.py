from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._validate import fail
from keras_regopt.augmentation._containers import Plan
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._containers import ImageChain


@register
class Compose(ImageChain):
    """Puts images through several augmentations, one after the other.

    It does what the same layers do in a row, and more of it at once:
    neighbours that only move pixels (`RandomAffine`, `RandomPerspective`, the
    crops) and agree on `fill_mode`, `fill_value`, `interpolation` and `dtype`
    become a single warp. That is faster, blurs once instead of each time, and
    does not cut off what one layer moves out of the frame and the next moves
    in again: only the edges of the first image count. Bounding boxes, masks
    and keypoints follow the same single warp.

    Containers may hold containers. Of layers that mix images, such as
    `MixUp`, it may hold one, or any number of them within a `RandomMix`.

    Args:
        layers: List of at least one image augmentation of this package.
        seed: Integer that fixes all draws, also those of the layers. Defaults
            to `None`: each layer draws from its own seed.
        **kwargs: `rate` (the probability that an image is augmented at all,
            by all layers or by none) and `data_format`, and `name` and
            `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the last layer.

    Raises:
        ValueError: If `layers` holds anything else, nothing, or layers of
            another `data_format`, or two that mix images.

    Examples:
        >>> from keras_regopt.augmentation import (
        ...     RandomAffine, RandomGaussianNoise)
        >>> layer = Compose([RandomAffine(), RandomGaussianNoise()], seed=0)
        >>> layer(np.zeros((2, 32, 32, 3), "uint8")).shape == (2, 32, 32, 3)
        True
    """

    def __init__(
        self,
        layers: Sequence[ImageAugmentation],
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        if not isinstance(layers, (list, tuple)) or not layers:
            fail(self, "layers", "a list of image augmentations", layers)
        self.layers = self._checked_parts("layers", layers)
        if sum(layer.mixes for layer in self.layers) > 1:
            remedy = "Put those into one RandomMix."
            allowed = "layers of which at most one mixes images"
            fail(self, "layers", allowed, layers, remedy)
        self._plan = Plan(self.parts)

    @property
    def parts(self):
        return self.layers

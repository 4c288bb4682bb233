import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import one_of
from keras_regopt.augmentation.image._policy import (
    USUAL_RANGES,
    PolicyAugmentation,
)
from keras_regopt.augmentation.image.functional._auto_augment_policies import (
    POLICIES,
)

LARGEST_MAGNITUDE = 9


@register
class AutoAugment(PolicyAugmentation):
    """Puts each image through a pair of operations found by a search.

    A policy has 25 pairs, of which each image draws one. Each of its two
    operations happens with a probability of its own, at a magnitude of its
    own and, where there is a sign, with a random one. Made for the data sets
    that they are called after, they serve others like these; without one of
    those, begin with `TrivialAugmentWide`.

    The operations and their ranges are those of `RandAugment`, at ten
    magnitudes, and `invert`. Bounding boxes, masks and keypoints follow each
    geometric operation.

    Args:
        policy: `"imagenet"` (photographs), `"cifar10"` (small photographs) or
            `"svhn"` (house numbers). Defaults to `"imagenet"`.
        value_range: The pair of the lowest and the highest value that a pixel
            can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `interpolation` (`"nearest"` or a smoother one), `fill_mode`
            and `fill_value` (grey unless set) for what the geometric
            operations show beyond the edge, and `bounding_box_format`; see
            `PolicyAugmentation`. `rate` (the probability that an image
            changes at all) and `data_format`, and `name` and `dtype` of a
            Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = AutoAugment("cifar10", seed=0)
        >>> layer(np.zeros((4, 32, 32, 3), "uint8")).shape == (4, 32, 32, 3)
        True

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le 2019, AutoAugment: learning
        augmentation strategies from data (arXiv 1805.09501), appendix.
    """

    ranges = USUAL_RANGES | {"invert": (0, 0, False)}

    def __init__(
        self,
        policy: str = "imagenet",
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.policy = one_of(self, "policy", policy, tuple(POLICIES))

    def sample(self, shape, seed):
        ops, table = self.ops, POLICIES[self.policy]
        which, *draws = self.uniforms(5, shape[0], seed)
        pair = self._drawn_number(which, len(table))
        names, odds, magnitudes = np.array(table, object).transpose(2, 0, 1)
        numbers = np.vectorize(self._names.index)(names).astype("int32")
        acts = ops.stack(draws[:2], axis=1) < self._of(
            pair, odds.astype("float32")
        )
        operation = ops.where(
            acts, self._of(pair, numbers), self._names.index("identity")
        )
        level = magnitudes.astype("float32") / LARGEST_MAGNITUDE
        sign = ops.stack(draws[2:], axis=1)
        amount = self._amounts(operation, self._of(pair, level), sign, shape)
        return {"operation": operation, "amount": amount}

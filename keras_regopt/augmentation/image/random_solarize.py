from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._pointwise import PointwiseAugmentation
from keras_regopt.augmentation.image.functional._tables import LEVELS, solarize


@register
class RandomSolarize(PointwiseAugmentation):
    """Inverts what is brighter than a threshold, another for each image.

    A strong change of colors that leaves edges where they are. Values from
    `lowest + threshold * (highest - lowest)` on become
    `lowest + highest - value`, where `(lowest, highest)` is `value_range`;
    all others stay. Labels, boxes and masks do not change.

    Args:
        threshold: The threshold as a fraction of `value_range`, from 0, at
            which everything is inverted, to 1. A pair `(lowest, highest)` is
            a range, from which each image draws its own. Defaults to
            `(0.5, 1.0)`.
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image changes at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `threshold` is out of bounds, or if `value_range` is
            not a pair of two growing numbers.

    Examples:
        >>> layer = RandomSolarize(threshold=0.5)
        >>> image = np.array([[0, 127, 128, 255]], "uint8")[..., None]
        >>> keras.ops.convert_to_numpy(layer(image)).ravel().tolist()
        [0, 127, 127, 0]

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le 2019, AutoAugment: learning
        augmentation strategies from data.
    """

    def __init__(
        self,
        threshold: float | tuple[float, float] = (0.5, 1.0),
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.threshold = factor(self, "threshold", threshold, 0, 1)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        threshold = one_or_between(self.threshold, draw)
        return {"threshold": (LEVELS - 1) * threshold}

    def change(self, levels, parameters):
        return solarize(levels, parameters["threshold"])

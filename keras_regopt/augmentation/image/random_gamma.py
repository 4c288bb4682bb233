import math

from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.image._pointwise import PointwiseAugmentation
from keras_regopt.augmentation.image.functional._tables import gamma_correct


@register
class RandomGamma(PointwiseAugmentation):
    """Brightens or darkens each image, and leaves black and white.

    Makes a model bear other light and other cameras; unlike a change of
    brightness, it drives nothing out of the range. The fraction of a value in
    `value_range` is raised to a power:
    `lowest + (highest - lowest) * fraction ** gamma`, where `fraction` is
    `(value - lowest) / (highest - lowest)`. Labels, boxes and masks do not
    change.

    Args:
        gamma: The power, from 0.1 to 10: below 1 it brightens, above 1 it
            darkens. A pair `(lowest, highest)` is a range, from which each
            image draws its own, evenly on the scale of logarithms. Defaults
            to `(0.8, 1.25)`.
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
        ValueError: If `gamma` is out of bounds, or if `value_range` is not a
            pair of two growing numbers.

    Examples:
        >>> layer = RandomGamma(gamma=2.0, value_range=(0, 1))
        >>> image = np.array([[0.0, 0.5, 1.0]])[..., None]
        >>> keras.ops.convert_to_numpy(layer(image)).ravel().tolist()
        [0.0, 0.25, 1.0]

    References:
        Poynton 2012, Digital video and HD: algorithms and interfaces.
    """

    # Of bytes, 256 powers are enough.
    is_costly = True

    def __init__(
        self,
        gamma: float | tuple[float, float] = (0.8, 1.25),
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.gamma = one_or_range(self, "gamma", gamma, 0.1, 10)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        pair = isinstance(self.gamma, tuple)
        powers = self.gamma if pair else (self.gamma, self.gamma)
        exponent = between(tuple(math.log(p) for p in powers), draw)
        return {"gamma": self.ops.exp(exponent)}

    def change(self, levels, parameters):
        return gamma_correct(levels, parameters["gamma"])

from keras_regopt._registry import register
from keras_regopt.augmentation.image._pointwise import PointwiseAugmentation
from keras_regopt.augmentation.image.functional._tables import are_bytes, invert


@register
class RandomInvert(PointwiseAugmentation):
    """Turns some images into their negatives.

    Makes a model look at shapes rather than at brightness. A value becomes
    `lowest + highest - value`, in every channel, where `(lowest, highest)` is
    `value_range`. Labels, boxes and masks do not change.

    Args:
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        rate: Probability that an image is inverted, from 0 to 1. Defaults to
            `0.5`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `rate` is out of bounds, or if `value_range` is not a
            pair of two growing numbers.

    Examples:
        >>> layer = RandomInvert(rate=1.0)
        >>> image = np.array([[0, 1, 200, 255]], "uint8")[..., None]
        >>> keras.ops.convert_to_numpy(layer(image)).ravel().tolist()
        [255, 254, 55, 0]

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le 2019, AutoAugment: learning
        augmentation strategies from data.
    """

    def __init__(
        self,
        *,
        value_range: tuple[float, float] = (0, 255),
        rate: float = 0.5,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            value_range=value_range, rate=rate, seed=seed, **kwargs
        )

    def apply(self, inputs, parameters):
        if are_bytes(inputs, self.value_range):
            # In half the time that it takes through floats.
            return invert(inputs)
        return super().apply(inputs, parameters)

    def change(self, levels, parameters):
        return invert(levels)

from keras_regopt._registry import register
from keras_regopt.augmentation.image._pointwise import PointwiseAugmentation
from keras_regopt.augmentation.image._values import as_floats
from keras_regopt.augmentation.image.functional._tables import (
    autocontrast,
    extremes,
    to_levels,
)


@register
class RandomAutoContrast(PointwiseAugmentation):
    """Stretches the values of some images over the whole range.

    Makes a model indifferent to exposure and haze. In each image and channel
    by itself, the lowest value that occurs becomes that of `value_range`, the
    highest becomes that of `value_range`, and those between follow in
    proportion. A channel of one single value stays as it is. Labels, boxes
    and masks do not change.

    Bytes are rounded to the nearest; Pillow cuts the fraction off.

    Args:
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        rate: Probability that an image is stretched, from 0 to 1. Defaults to
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
        >>> layer = RandomAutoContrast(rate=1.0)
        >>> image = np.array([[100, 110, 120, 150]], "uint8")[..., None]
        >>> keras.ops.convert_to_numpy(layer(image)).ravel().tolist()
        [0, 51, 102, 255]

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le 2019, AutoAugment: learning
        augmentation strategies from data.
    """

    def __init__(
        self,
        value_range: tuple[float, float] = (0, 255),
        rate: float = 0.5,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            value_range=value_range, rate=rate, seed=seed, **kwargs
        )

    def apply(self, inputs, parameters):
        lowest, highest = (
            to_levels(as_floats(extreme), self.value_range)
            for extreme in extremes(inputs)
        )
        return super().apply(inputs, {"lowest": lowest, "highest": highest})

    def change(self, levels, parameters):
        return autocontrast(levels, **parameters)

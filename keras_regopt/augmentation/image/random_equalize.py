from keras_regopt._registry import register
from keras_regopt.augmentation.image._pointwise import PointwiseAugmentation
from keras_regopt.augmentation.image.functional._tables import (
    equalize,
    histogram,
    lookup,
    whole_levels,
)


@register
class RandomEqualize(PointwiseAugmentation):
    """Makes all levels about equally frequent, in some images.

    Brings out what lies in the dark or in the glare, and makes a model
    indifferent to exposure. In each image and channel by itself, a level
    becomes the fraction of darker pixels: with `step`, the 255th part of the
    number of pixels below the highest level, rounded down, it becomes
    `(step // 2 + pixels below it) // step`, as in Pillow. A channel with no
    pixel for a step, such as one of a single level, stays as it is. Images of
    fewer than 256 pixels, which Pillow never changes, have steps of fractions
    of a pixel. Labels, boxes and masks do not change.

    Floats are taken to the nearest of 256 levels of `value_range` and leave
    as such.

    Args:
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        rate: Probability that an image is equalized, from 0 to 1. Defaults to
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
        >>> dark = np.arange(32 * 32).reshape(32, 32, 1) // 16
        >>> equalized = RandomEqualize(rate=1.0)(dark.astype("uint8"))
        >>> int(dark.max()), int(keras.ops.max(equalized))
        (63, 255)

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
        counts = histogram(whole_levels(inputs, self.value_range))
        return lookup(inputs, equalize(counts), self.value_range)

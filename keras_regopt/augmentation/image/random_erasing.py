import math

from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._erasing import ErasingAugmentation


@register
class RandomErasing(ErasingAugmentation):
    """Erases a rectangle of each image, of its own size and position.

    Teaches a model to look at all of an object, since any part may be hidden.
    The rectangle always lies within the image: its area is drawn evenly, its
    ratio of width to height evenly in the logarithm, then held to the ratios
    at which that area fits, and its position evenly among those that are left.
    With the default `rate=1.0` every image loses a rectangle; the paper has
    0.5.

    Labels and boxes stay: what is hidden is still there. So do masks, unless
    `erase_masks=True` sets them to 0 where the image is erased.

    Args:
        scale: Area of the rectangle as a fraction of the area of the image,
            from 0 to 1, or a pair `(lowest, highest)`. No rectangle is
            smaller than a pixel. Defaults to `(0.02, 0.33)`.
        ratio: Width of the rectangle divided by its height, from 0.01 to 100,
            or a pair `(lowest, highest)`. Defaults to `(0.3, 3.3)`.
        fill_mode: What the pixels become: `"constant"` is `fill_value`,
            `"mean"` the mean of each channel of the image and `"noise"`
            numbers drawn evenly from `value_range`, one for each value.
            Defaults to `"constant"`.
        fill_value: The value for `"constant"`, in the units of the images.
            Defaults to `0.0`.
        value_range: The pair of the lowest and the highest value for
            `"noise"`. Defaults to `(0, 255)`.
        erase_masks: Whether masks become 0 where the image is erased.
            Defaults to `False`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image loses anything) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomErasing(scale=0.25, ratio=1.0)
        >>> left = keras.ops.convert_to_numpy(layer(np.ones((8, 8, 1))))
        >>> int(left.sum())
        48

    References:
        Zhong, Zheng, Kang, Li and Yang 2020, Random erasing data
        augmentation; DeVries and Taylor 2017, Improved regularization of
        convolutional neural networks with cutout.
    """

    def __init__(
        self,
        *,
        scale: float | tuple[float, float] = (0.02, 0.33),
        ratio: float | tuple[float, float] = (0.3, 3.3),
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        value_range: tuple[float, float] = (0, 255),
        erase_masks: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode=fill_mode,
            fill_value=fill_value,
            value_range=value_range,
            erase_masks=erase_masks,
            seed=seed,
            **kwargs,
        )
        self.scale = factor(self, "scale", scale, 0, 1)
        self.ratio = factor(self, "ratio", ratio, 0.01, 100)

    def sample(self, shape, seed):
        ops = self.ops
        draws = self.uniforms(6, shape[0], seed)
        height, width = (ops.cast(n, "float32") for n in shape[1:3])
        area = one_or_between(self.scale, draws[0]) * height * width
        # Without any height, the width would be infinite.
        area = ops.maximum(area, 1.0)
        ratio = ops.exp(one_or_between(_logarithm(self.ratio), draws[1]))
        ratio = ops.clip(ratio, area / height**2, width**2 / area)
        rows = self._whole(ops.sqrt(area / ratio), height)
        columns = self._whole(ops.sqrt(area * ratio), width)
        top = ops.floor(draws[2] * (height - rows + 1))
        left = ops.floor(draws[3] * (width - columns + 1))
        return {
            "top": top,
            "bottom": top + rows,
            "left": left,
            "right": left + columns,
            "key": keys_from(draws[4], draws[5]),
        }

    def marks(self, y, x, parameters):
        return (
            self._within(y, parameters["top"], parameters["bottom"]),
            self._within(x, parameters["left"], parameters["right"]),
        )

    def _whole(self, length, size):
        return self.ops.clip(self.ops.round(length), 1.0, size)

    def _within(self, position, first, end):
        return self.ops.logical_and(
            position >= first[:, None, None], position < end[:, None, None]
        )


def _logarithm(ratio):
    if isinstance(ratio, tuple):
        return tuple(math.log(r) for r in ratio)
    return math.log(ratio)

import math

from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation._sampling import between, one_or_between
from keras_regopt.augmentation.image._erasing import ErasingAugmentation


@register
class GridMask(ErasingAugmentation):
    """Erases a grid of squares from each image.

    Where one rectangle of `RandomErasing` may hide all of an object or none
    of it, a grid hides a part of everything. Each image draws a period, a
    fraction of its shorter side; of each period, along both axes, the first
    `ratio` is erased, so that `ratio ** 2` of the area goes. The grid begins
    anywhere and may be turned.

    Labels and boxes stay: what is hidden is still there. So do masks, unless
    `erase_masks=True` sets them to 0 where the image is erased.

    Args:
        ratio: Side of a square as a fraction of the period, from 0 to 1, or
            a pair `(lowest, highest)`. Defaults to `0.5`: a quarter of the
            area is erased.
        period: Distance from square to square as a fraction of the shorter
            side of the image, from 0.01 to 2, or a pair. No period is shorter
            than two pixels. Defaults to `(0.2, 0.6)`.
        rotation: Fraction of a full turn by which the grid is turned, from
            -1 to 1; a number `f` is the range
            from `-f` to `f`. Defaults to `0.0`.
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
        >>> layer = GridMask(ratio=0.5, period=0.5)
        >>> left = keras.ops.convert_to_numpy(layer(np.ones((8, 8, 1))))
        >>> int(left.sum())
        48

    References:
        Chen, Liu, Zhao and Jia 2020, GridMask data augmentation.
    """

    def __init__(
        self,
        ratio: float | tuple[float, float] = 0.5,
        period: float | tuple[float, float] = (0.2, 0.6),
        rotation: float | tuple[float, float] = 0.0,
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
        self.ratio = factor(self, "ratio", ratio, 0, 1)
        self.period = factor(self, "period", period, 0.01, 2)
        self.rotation = factor(self, "rotation", rotation, -1, 1)

    def sample(self, shape, seed):
        ops = self.ops
        draws = self.uniforms(7, shape[0], seed)
        height, width = (ops.cast(n, "float32") for n in shape[1:3])
        period = one_or_between(self.period, draws[0])
        period = ops.maximum(
            ops.round(period * ops.minimum(height, width)), 2.0
        )
        ratio = one_or_between(self.ratio, draws[1])
        return {
            "period": period,
            "length": ops.round(ratio * period),
            "angle": 2 * math.pi * between(self.rotation, draws[2]),
            "down": ops.floor(draws[3] * period),
            "right": ops.floor(draws[4] * period),
            "key": keys_from(draws[5], draws[6]),
        }

    def marks(self, y, x, parameters):
        if self.rotation:
            y, x = self._turned(y, x, parameters["angle"][:, None, None])
        return (
            self._marked(y, parameters["down"], parameters),
            self._marked(x, parameters["right"], parameters),
        )

    def _turned(self, y, x, angle):
        cosine, sine = self.ops.cos(angle), self.ops.sin(angle)
        return cosine * y - sine * x, cosine * x + sine * y

    def _marked(self, position, shift, parameters):
        """Whether positions along an axis are in the first part of a period."""
        period = parameters["period"][:, None, None]
        position = position + shift[:, None, None]
        position = position - period * self.ops.floor(position / period)
        return position < parameters["length"][:, None, None]

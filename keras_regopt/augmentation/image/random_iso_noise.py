from keras_regopt._random import normals_of
from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._noise import bits, keys_from, poissons_of
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._base import ImageAugmentation


@register
class RandomISONoise(ImageAugmentation):
    """Gives images the grain of a camera at a high sensitivity.

    Such grain changes the color of single pixels and lights some of them up,
    where `RandomGaussianNoise` changes every value by itself. As in
    albumentations, hue `h`, lightness `l` and saturation of a pixel become

    - `h + 360 * color_shift * intensity * normal`, in degrees,
    - `l + intensity * poisson * (1 - l)`, where the mean of `poisson` is
      `intensity` times the standard deviation of `l` over the image,

    and the saturation stays. Images that do not have three channels have no
    hue: there, `l` is each value itself. Labels, boxes and masks do not
    change.

    Args:
        color_shift: Strength of the noise of the hue as a fraction of a full
            circle, from 0 to 1, or a pair `(lowest, highest)` from which
            each image draws its own. Defaults to `(0.01, 0.05)`.
        intensity: Strength of all the noise, from 0 to 1, or a pair. Defaults
            to `(0.1, 0.5)`.
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image gets noise at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If a strength is out of bounds, or if `value_range` is not
            a pair of two growing numbers.

    Examples:
        >>> layer = RandomISONoise(intensity=0.5)
        >>> noisy = layer(np.full((2, 32, 32, 3), 100, "uint8"))
        >>> noisy.shape == (2, 32, 32, 3)
        True

    References:
        Buslaev et al. 2020, Albumentations: fast and flexible image
        augmentations.
    """

    def __init__(
        self,
        color_shift: float | tuple[float, float] = (0.01, 0.05),
        intensity: float | tuple[float, float] = (0.1, 0.5),
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.color_shift = factor(self, "color_shift", color_shift, 0, 1)
        self.intensity = factor(self, "intensity", intensity, 0, 1)
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        draws = self.uniforms(6, shape[0], seed)
        intensity = one_or_between(self.intensity, draws[1])
        return {
            "intensity": intensity,
            "hue": one_or_between(self.color_shift, draws[0]) * intensity,
            "hue_key": keys_from(draws[2], draws[3]),
            "light_key": keys_from(draws[4], draws[5]),
        }

    def apply(self, inputs, parameters):
        ops = self.ops
        low, high = self.value_range
        _, height, width, channels = shape = ops.shape(inputs)
        count = height * width
        values = ops.reshape(
            (inputs - low) / (high - low), (-1, count, channels)
        )
        values = ops.clip(values, 0, 1)
        light = (ops.max(values, axis=-1) + ops.min(values, axis=-1)) / 2
        intensity = ops.cast(parameters["intensity"], light.dtype)[:, None]
        mean = intensity * ops.std(light, axis=1, keepdims=True)
        grains = poissons_of(
            bits(parameters["light_key"], count), ops.cast(mean, "float32")
        )
        fraction = ops.minimum(intensity * ops.cast(grains, light.dtype), 1)
        if channels == 3:
            turn = normals_of(bits(parameters["hue_key"], count))
            turn = ops.cast(parameters["hue"][:, None] * turn, light.dtype)
            values = self._with_grain(values, fraction, turn)
        else:
            values = values + fraction[..., None] * (1 - values)
        values = ops.clip(low + (high - low) * values, low, high)
        return ops.reshape(values, shape)

    def _with_grain(self, values, fraction, turn):
        """Moves lightness and hue, but not saturation.

        Args:
            values: Colors from 0 to 1, of shape `(batch, pixels, 3)`.
            fraction: How far the lightness goes towards 1.
            turn: How far the hue goes, as a fraction of a circle.

        Returns:
            A tensor like `values`.
        """
        ops = self.ops
        red, green, blue = (values[..., channel] for channel in range(3))
        highest = ops.maximum(ops.maximum(red, green), blue)
        lowest = ops.minimum(ops.minimum(red, green), blue)
        light, chroma = (highest + lowest) / 2, highest - lowest
        # Gray has neither hue nor saturation, whatever stands below.
        step = 1 / ops.where(chroma > 0, chroma, 1)
        hue = ops.where(
            highest == red,
            (green - blue) * step,
            ops.where(
                highest == green,
                2 + (blue - red) * step,
                4 + (red - green) * step,
            ),
        )
        hue = hue + 6 * turn
        hue = hue - 6 * ops.floor(hue / 6)
        room = 1 - ops.abs(2 * light - 1)
        saturation = chroma / ops.where(room > 0, room, 1)
        light = light + fraction * (1 - light)
        chroma = saturation * (1 - ops.abs(2 * light - 1))
        # How much of each color a hue has, in sixths of the circle.
        parts = [
            ops.abs(hue - 3) - 1,
            2 - ops.abs(hue - 2),
            2 - ops.abs(hue - 4),
        ]
        return ops.stack(
            [light + chroma * (ops.clip(part, 0, 1) - 0.5) for part in parts],
            axis=-1,
        )

from keras_regopt._registry import register
from keras_regopt._validate import factor, one_of
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.functional._jpeg import (
    color_round_trip,
    gray_round_trip,
)

SUBSAMPLINGS = ("4:2:0", "4:4:4")


@register
class RandomJPEG(ImageAugmentation):
    """Gives each image what JPEG leaves of it, at a quality of its own.

    Teaches a model to bear the blocks, halos and bleeding colors of pictures
    that were stored or sent with few bytes. It is JPEG itself, not a likeness:
    colors become light and two differences, blocks of 8x8 their cosine
    transform, and its parts are rounded to multiples of the standard's tables,
    scaled by the quality as libjpeg does. Since nothing is written, it
    compiles on every backend. Photographs differ from those of Pillow by less
    than half a level on average.

    Images of three channels are taken for red, green and blue; in others,
    each channel is coded as a gray image. Labels, boxes and masks do not
    change.

    Args:
        quality: Quality from 1, the worst, to 100, as in Pillow, or a pair
            `(lowest, highest)` from which each image draws a whole number.
            Defaults to `(30, 95)`.
        subsampling: `"4:2:0"` keeps color at half the height and width, as
            Pillow and cameras do, `"4:4:4"` keeps all of it. Defaults to
            `"4:2:0"`.
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Between them, JPEG knows 256 levels. Defaults to
            `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image is coded at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomJPEG(quality=10)
        >>> image = np.zeros((16, 16, 3), "uint8")
        >>> image[5, 5] = 200
        >>> int(layer(image)[5, 5, 0])
        8

    References:
        ITU-T Recommendation T.81 (1992), Digital compression and coding of
        continuous-tone still images.
    """

    def __init__(
        self,
        quality: float | tuple[float, float] = (30, 95),
        subsampling: str = "4:2:0",
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.quality = factor(self, "quality", quality, 1, 100)
        self.subsampling = one_of(
            self, "subsampling", subsampling, SUBSAMPLINGS
        )
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"quality": self.ops.round(one_or_between(self.quality, draw))}

    def apply(self, inputs, parameters):
        ops = self.ops
        low, high = self.value_range
        levels = (inputs - low) * (255 / (high - low))
        levels = ops.clip(ops.round(levels), 0, 255)
        quality = ops.cast(parameters["quality"], levels.dtype)
        if inputs.shape[-1] == 3:
            halved = self.subsampling == "4:2:0"
            levels = color_round_trip(levels, quality, halved)
        else:
            levels = self._each_channel(levels, quality)
        return ops.clip(low + levels * ((high - low) / 255), low, high)

    def _each_channel(self, levels, quality):
        """The channels as images of their own."""
        ops = self.ops
        _, height, width, channels = ops.shape(levels)
        planes = ops.transpose(levels, (0, 3, 1, 2))
        planes = ops.reshape(planes, (-1, height, width))
        planes = gray_round_trip(planes, ops.repeat(quality, channels))
        planes = ops.reshape(planes, (-1, channels, height, width))
        return ops.transpose(planes, (0, 2, 3, 1))

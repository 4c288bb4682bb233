from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, positive_int
from keras_regopt.augmentation.image._base import ImageAugmentation


@register
class RandomChannelDrop(ImageAugmentation):
    """Blanks some channels of each image.

    Keeps a model from relying on one channel alone: on a color, on one band
    of a satellite or one sensor. Each image draws which channels it loses,
    all choices being equally likely. Labels, boxes and masks do not change.

    Args:
        count: How many channels are blanked, at least 1 and less than there
            are. Defaults to `1`.
        fill_value: The value of the blank channels, in the units of the
            images. Defaults to `0.0`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image changes at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `count` is no integer of at least 1 or `fill_value` no
            number, and in a call, if `count` leaves no channel.

    Examples:
        >>> layer = RandomChannelDrop(count=2)
        >>> image = np.array([[[10, 20, 30]]], "uint8")
        >>> left = keras.ops.convert_to_numpy(layer(image))
        >>> sorted(left.ravel().tolist())[:2]
        [0, 0]

    References:
        Tompson, Goroshin, Jain, LeCun and Bregler 2015, Efficient object
        localization using convolutional networks.
    """

    def __init__(
        self,
        count: int = 1,
        fill_value: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.count = positive_int(self, "count", count)
        self.fill_value = in_range(self, "fill_value", fill_value)

    def sample(self, shape, seed):
        batch, _, _, channels = shape
        if isinstance(channels, int) and self.count >= channels:
            fail(
                self,
                "count",
                f"less than the number of channels, {channels}",
                self.count,
            )
        draws = self.random.uniform(
            (batch, channels), dtype="float32", seed=seed
        )
        ranks = self.ops.argsort(self.ops.argsort(draws, axis=-1), axis=-1)
        return {"keep": ranks >= self.count}

    def apply(self, inputs, parameters):
        keep = parameters["keep"][:, None, None]
        fill = self.ops.cast(self.fill_value, inputs.dtype)
        return self.ops.where(keep, inputs, fill)

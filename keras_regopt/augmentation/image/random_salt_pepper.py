from keras_regopt._random import uniforms_of
from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._noise import bits, keys_from
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._base import ImageAugmentation


@register
class RandomSaltPepper(ImageAugmentation):
    """Turns some pixels of each image white and some black.

    Imitates dead pixels and faults of transmission, which Gaussian noise does
    not: most pixels keep their value, a few lose it altogether. Each pixel is
    hit with the probability `amount`, all its channels together; one that is
    hit becomes the highest value with the probability `salt`, else the
    lowest. Labels, boxes and masks do not change.

    Args:
        amount: Fraction of the pixels that are hit, from 0 to 1, or a pair
            `(lowest, highest)` from which each image draws its own. Defaults
            to `(0.01, 0.06)`.
        salt: Fraction of these that become white, from 0 to 1, or a pair.
            Defaults to `0.5`.
        value_range: The pair of the values of black and of white. Defaults to
            `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image gets noise at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If a fraction is out of bounds, or if `value_range` is not
            a pair of two growing numbers.

    Examples:
        >>> layer = RandomSaltPepper(amount=0.1, salt=1.0, seed=1)
        >>> image = np.zeros((100, 100, 3), "uint8")
        >>> white = keras.ops.convert_to_numpy(layer(image)) == 255
        >>> round(float(white.mean()), 1)
        0.1

    References:
        Gonzalez and Woods 2018, Digital image processing, chapter 5.
    """

    def __init__(
        self,
        amount: float | tuple[float, float] = (0.01, 0.06),
        salt: float | tuple[float, float] = 0.5,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.amount = factor(self, "amount", amount, 0, 1)
        self.salt = factor(self, "salt", salt, 0, 1)
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        draws = self.uniforms(4, shape[0], seed)
        amount = one_or_between(self.amount, draws[0])
        return {
            "amount": amount,
            "salt": amount * one_or_between(self.salt, draws[1]),
            "key": keys_from(draws[2], draws[3]),
        }

    def apply(self, inputs, parameters):
        ops = self.ops
        _, height, width, channels = shape = ops.shape(inputs)
        count = height * width * channels
        # All channels of a pixel have one draw in common.
        draw = uniforms_of(bits(parameters["key"], count, repeats=channels))
        low, high = (ops.cast(v, inputs.dtype) for v in self.value_range)
        salt = draw < parameters["salt"][:, None]
        hit = draw < parameters["amount"][:, None]
        values = ops.reshape(inputs, (-1, count))
        values = ops.where(hit, ops.where(salt, high, low), values)
        return ops.reshape(values, shape)

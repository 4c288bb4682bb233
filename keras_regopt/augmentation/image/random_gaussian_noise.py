from keras_regopt._hyper_parameter import (
    HyperParameter,
    is_tuned,
    tunable,
)
from keras_regopt._random import normals_of
from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._noise import bits, keys_from
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._base import ImageAugmentation


@register
class RandomGaussianNoise(ImageAugmentation):
    """Adds Gaussian noise to every value of an image.

    Teaches a model not to rely on single pixels, and to bear noisy cameras
    and low light. The result is
    `clip(image + stddev * (highest - lowest) * normal, lowest, highest)`,
    where `(lowest, highest)` is `value_range`. Labels, boxes and masks do not
    change.

    Args:
        stddev: Standard deviation of the noise as a fraction of the width of
            `value_range`, from 0 to 1: with images of bytes, `0.1` is 25.5
            levels. A pair `(lowest, highest)` is a range, from which each
            image draws its own. Or a `HyperParameter`. Defaults to `0.05`.
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
        ValueError: If `stddev` is out of bounds, or if `value_range` is not
            a pair of two growing numbers.

    Examples:
        >>> layer = RandomGaussianNoise(stddev=0.1, value_range=(0, 1), seed=1)
        >>> images = np.full((4, 32, 32, 3), 0.5, "float32")
        >>> noise = keras.ops.convert_to_numpy(layer(images)) - images
        >>> round(float(noise.std()), 2)
        0.1

    References:
        Bishop 1995, Training with noise is equivalent to Tikhonov
        regularization.
    """

    def __init__(
        self,
        stddev: float | tuple[float, float] | HyperParameter = 0.05,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        check = tunable if is_tuned(stddev) else factor
        self.stddev = check(self, "stddev", stddev, 0, 1)
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        draws = self.uniforms(3, shape[0], seed)
        return {
            "stddev": one_or_between(self.stddev, draws[0]),
            "key": keys_from(draws[1], draws[2]),
        }

    def apply(self, inputs, parameters):
        ops = self.ops
        lowest, highest = self.value_range
        _, height, width, channels = shape = ops.shape(inputs)
        noise = normals_of(bits(parameters["key"], height * width * channels))
        stddev = parameters["stddev"][:, None]
        noise = (highest - lowest) * stddev * ops.cast(noise, stddev.dtype)
        noise = ops.reshape(ops.cast(noise, inputs.dtype), shape)
        return ops.clip(inputs + noise, lowest, highest)

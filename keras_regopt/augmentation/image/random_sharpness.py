from keras_regopt._registry import register
from keras_regopt._validate import factor as checked_factor
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.functional._sharpness import sharpened


@register
class RandomSharpness(ImageAugmentation):
    """Sharpens or softens each image by an amount of its own.

    Makes a model indifferent to how well a camera was focused. The result is
    `clip(image + factor * (image - smooth))`, where `smooth` is the image
    under Pillow's filter `SMOOTH`: the mean of the 3x3 pixels around each,
    itself counted five times. It is Pillow's and torchvision's sharpness, of
    which the factor is 1 larger. Pixels at the edge stay as they are, as do
    labels, boxes and masks.

    Args:
        factor: How much of the detail is added, from -1 to 1: -1 gives the
            smoothed image, 0 the image, 1 twice its detail. A number `f` is
            the range from `-f` to `f`, a pair `(lowest, highest)` the range
            itself. Defaults to `0.5`.
        value_range: The pair of the lowest and the highest value that a
            pixel can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image changes at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `factor` is out of bounds, or if `value_range` is not
            a pair of two growing numbers.

    Examples:
        >>> layer = RandomSharpness(factor=(-1, -1))
        >>> image = np.zeros((3, 3, 1), "uint8")
        >>> image[1, 1] = 130
        >>> int(layer(image)[1, 1, 0])
        50

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le 2019, AutoAugment: learning
        augmentation strategies from data.
    """

    # `sharpened` goes back to bytes by itself, which is faster.
    computes_in_floats = False

    def __init__(
        self,
        *,
        factor: float | tuple[float, float] = 0.5,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.factor = checked_factor(self, "factor", factor, -1, 1)
        self.value_range = checked_range(self, value_range)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"amount": between(self.factor, draw)}

    def apply(self, inputs, parameters):
        return sharpened(inputs, parameters["amount"], self.value_range)

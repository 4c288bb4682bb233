import math

from keras_regopt._registry import register
from keras_regopt._validate import factor, fail, positive_int
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.functional._filters import filtered


@register
class RandomGaussianBlur(ImageAugmentation):
    """Blurs each image with a Gaussian of its own width.

    Makes a model rely on shapes more than on fine texture, which is what
    contrastive learning wants, and bear images out of focus. Down and across,
    a pixel `d` away weighs `exp(-d ** 2 / (2 * sigma ** 2))`, divided by the
    sum of the weights. Beyond the edge lies the mirror image, edge included.
    Labels, boxes and masks do not change.

    Args:
        sigma: Standard deviation of the Gaussian in pixels, from 0, which
            changes nothing, to 50, or a pair `(lowest, highest)` from which
            each image draws its own. Defaults to `(0.1, 2.0)`.
        kernel_size: Number of pixels, odd, that are weighed along each axis.
            The time that the layer takes grows with it. Defaults to `None`:
            those within three times the largest `sigma`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image is blurred at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `sigma` is out of bounds, or if `kernel_size` is not an
            odd positive integer.

    Examples:
        >>> layer = RandomGaussianBlur(sigma=1.0)
        >>> image = np.zeros((7, 7, 1), "uint8")
        >>> image[3, 3] = 255
        >>> keras.ops.convert_to_numpy(layer(image))[3, :, 0].tolist()
        [0, 5, 25, 41, 25, 5, 0]

    References:
        Chen, Kornblith, Norouzi and Hinton 2020, A simple framework for
        contrastive learning of visual representations.
    """

    # `filtered` goes back to bytes by itself.
    computes_in_floats = False

    def __init__(
        self,
        *,
        sigma: float | tuple[float, float] = (0.1, 2.0),
        kernel_size: int | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.sigma = factor(self, "sigma", sigma, 0, 50)
        self.kernel_size = positive_int(
            self, "kernel_size", kernel_size, optional=True
        )
        if self.kernel_size is not None and self.kernel_size % 2 == 0:
            fail(self, "kernel_size", "an odd integer, or None", kernel_size)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"sigma": one_or_between(self.sigma, draw)}

    def apply(self, inputs, parameters):
        ops = self.ops
        radius = self._radius()
        # From a hundredth of a pixel down, nothing moves.
        sigma = ops.maximum(parameters["sigma"], 0.01)[:, None]
        distance = ops.arange(-radius, radius + 1, dtype="float32")[None, :]
        weights = ops.exp(-0.5 * ops.square(distance / sigma))
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        return filtered(inputs, weights)

    def _radius(self):
        if self.kernel_size is not None:
            return self.kernel_size // 2
        largest = self.sigma[1] if isinstance(self.sigma, tuple) else self.sigma
        return math.ceil(3 * largest)

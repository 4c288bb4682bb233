import math

from keras_regopt._registry import register
from keras_regopt._validate import factor
from keras_regopt.augmentation._sampling import between, one_or_between
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image.functional._filters import convolved


@register
class RandomMotionBlur(ImageAugmentation):
    """Blurs each image along a line of its own length and direction.

    Imitates a camera or an object that moved while the shutter was open. A
    pixel weighs `max(1 - distance, 0)`, divided by the sum of the weights,
    where `distance` is that to a line of `length - 1` about the pixel that is
    computed: a level line of length 5 gives the mean of five pixels. Beyond
    the edge lies the mirror image, edge included. Labels, boxes and masks do
    not change.

    Args:
        length: Length of the line in pixels, from 1, which changes nothing,
            to 31, or a pair `(lowest, highest)` from which each image draws
            its own. The time that the layer takes grows with the largest.
            Defaults to `(1.0, 7.0)`.
        angle: Direction of the line as a fraction of a full turn, from -1 to
            1; 0 is level and positive turns counterclockwise. A number `f` is
            the range from `-f` to `f`, a pair `(lowest, highest)` the range
            itself. Defaults to `0.25`, all directions.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that an image is blurred at all) and
            `data_format`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of its bounds.

    Examples:
        >>> layer = RandomMotionBlur(length=3, angle=0)
        >>> image = np.zeros((3, 5, 1), "uint8")
        >>> image[1, 2] = 90
        >>> keras.ops.convert_to_numpy(layer(image))[1, :, 0].tolist()
        [0, 30, 30, 30, 0]

    References:
        Hendrycks and Dietterich 2019, Benchmarking neural network robustness
        to common corruptions and perturbations.
    """

    # `convolved` goes back to bytes by itself.
    computes_in_floats = False

    def __init__(
        self,
        length: float | tuple[float, float] = (1.0, 7.0),
        angle: float | tuple[float, float] = 0.25,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.length = factor(self, "length", length, 1, 31)
        self.angle = factor(self, "angle", angle, -1, 1)

    def sample(self, shape, seed):
        draws = self.uniforms(2, shape[0], seed)
        return {
            "length": one_or_between(self.length, draws[0]),
            "angle": 2 * math.pi * between(self.angle, draws[1]),
        }

    def apply(self, inputs, parameters):
        # The points of a grid within a convex shape are at most as many as
        # its area and half its edge and one. Of this one, the ends are round.
        most = math.floor(3 * (self._longest() - 1) + 2 * math.pi + 1)
        return convolved(inputs, self._kernels(**parameters), most)

    def _longest(self):
        is_pair = isinstance(self.length, tuple)
        return self.length[1] if is_pair else self.length

    def _kernels(self, length, angle):
        ops = self.ops
        radius = math.ceil((self._longest() - 1) / 2)
        length, angle = length[:, None, None], angle[:, None, None]
        position = ops.arange(-radius, radius + 1, dtype="float32")
        # Rows count downwards, angles turn up.
        x, y = position[None, None, :], -position[None, :, None]
        along = x * ops.cos(angle) + y * ops.sin(angle)
        across = y * ops.cos(angle) - x * ops.sin(angle)
        beyond = ops.maximum(ops.abs(along) - (length - 1) / 2, 0)
        distance = ops.sqrt(ops.square(beyond) + ops.square(across))
        kernels = ops.maximum(1 - distance, 0)
        return kernels / ops.sum(kernels, axis=(1, 2), keepdims=True)

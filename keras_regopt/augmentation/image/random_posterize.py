from keras_regopt._registry import register
from keras_regopt._validate import integer
from keras_regopt.augmentation._ranges import one_or_range, whole_number
from keras_regopt.augmentation.image._pointwise import PointwiseAugmentation
from keras_regopt.augmentation.image.functional._tables import posterize


@register
class RandomPosterize(PointwiseAugmentation):
    """Leaves each image fewer levels of brightness, in every channel.

    Makes a model bear flat areas and hard steps of color. Of the eight bits
    of a level from 0 to 255, the lowest become 0:
    `floor(level / 2 ** (8 - bits)) * 2 ** (8 - bits)`. Floats are taken to
    levels by `value_range`, and so give what bytes would give. Labels, boxes
    and masks do not change.

    Args:
        bits: How many bits stay, from 1 to 8; at 8 nothing changes. A pair
            `(lowest, highest)` is a range, of whose whole numbers each image
            draws one, the ends included. Defaults to `(4, 7)`.
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
        ValueError: If `bits` is out of bounds or no integer, or if
            `value_range` is not a pair of two growing numbers.

    Examples:
        >>> image = np.array([[0, 63, 64, 255]], "uint8")[..., None]
        >>> posterized = RandomPosterize(bits=2)(image)
        >>> keras.ops.convert_to_numpy(posterized).ravel().tolist()
        [0, 0, 64, 192]

    References:
        Cubuk, Zoph, Mane, Vasudevan and Le 2019, AutoAugment: learning
        augmentation strategies from data.
    """

    def __init__(
        self,
        bits: int | tuple[int, int] = (4, 7),
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.bits = one_or_range(self, "bits", bits, 1, 8, check=integer)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"bits": whole_number(self.bits, draw)}

    def change(self, levels, parameters):
        return posterize(levels, parameters["bits"])

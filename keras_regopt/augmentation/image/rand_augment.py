from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import in_range, positive_int
from keras_regopt.augmentation.image._policy import (
    USUAL_RANGES,
    PolicyAugmentation,
)

LARGEST_MAGNITUDE = 30


@register
class RandAugment(PolicyAugmentation):
    """Puts each image through a few random operations of one magnitude.

    A strong augmentation for classifiers with two numbers to tune: how many
    operations, and how strong. The operations are drawn for each image by
    itself, with replacement, and so are the signs of shears, translations,
    rotations and factors. What an image did not draw is not computed for it.

    At the magnitude 30 the amounts are the greatest, at 0 none, and linear
    between:

    - `identity`: no amount
    - `shear_x`, `shear_y`: 0.3 pixels for each pixel along the other axis
    - `translate_x`, `translate_y`: 0.453 widths or heights
    - `rotate`: 30 degrees
    - `brightness`, `color`, `contrast`, `sharpness`: factor 0.1 or 1.9
    - `posterize`: 4 of 8 bits are kept
    - `solarize`: all levels from 0 on are inverted
    - `autocontrast`, `equalize`: the same at any magnitude

    They are the operations of Pillow, with the ranges of torchvision.
    Bounding boxes, masks and keypoints follow each geometric operation.

    Args:
        num_ops: Number of operations for each image, at least 1. Defaults to
            `2`.
        magnitude: Number from 0 to 30. Defaults to `9`.
        magnitude_std: Standard deviation of the magnitude, at least 0: each
            operation draws its own about `magnitude`, held between 0 and 30.
            Defaults to `0.0`.
        operations: List of the names of the operations to draw from; a name
            that comes twice is drawn twice as often. Defaults to `None`, all
            of the list.
        value_range: The pair of the lowest and the highest value that a pixel
            can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `interpolation` (`"nearest"` or a smoother one), `fill_mode`
            and `fill_value` (grey unless set) for what the geometric
            operations show beyond the edge, and `bounding_box_format`; see
            `PolicyAugmentation`. `rate` (the probability that an image
            changes at all) and `data_format`, and `name` and `dtype` of a
            Keras layer.

    Input shape:
        `(height, width, channels)` or `(batch, height, width, channels)`, or
        with the channels first, or a dict; see `ImageAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandAugment(num_ops=2, magnitude=9, seed=0)
        >>> layer(np.zeros((4, 32, 32, 3), "uint8")).shape == (4, 32, 32, 3)
        True

    References:
        Cubuk, Zoph, Shlens and Le 2020, RandAugment: practical automated data
        augmentation with a reduced search space (arXiv 1909.13719).
    """

    ranges = USUAL_RANGES

    search_space = {
        "num_ops": Range(1, 3, whole=True),
        "magnitude": Range(1.0, 15.0),
    }

    def __init__(
        self,
        *,
        num_ops: int = 2,
        magnitude: float = 9,
        magnitude_std: float = 0.0,
        operations: Sequence[str] | None = None,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.num_ops = positive_int(self, "num_ops", num_ops)
        self.magnitude = in_range(
            self, "magnitude", magnitude, 0, LARGEST_MAGNITUDE
        )
        self.magnitude_std = in_range(
            self, "magnitude_std", magnitude_std, low=0
        )
        self.operations = self._known(operations)

    def sample(self, shape, seed):
        ops, steps = self.ops, self.num_ops
        draws = self.uniforms(2 * steps, shape[0], seed)
        operation = self._drawn_operation(ops.stack(draws[:steps], axis=1))
        level = self.magnitude / LARGEST_MAGNITUDE
        if self.magnitude_std:
            spread = self.magnitude_std / LARGEST_MAGNITUDE
            noise = self.random.normal((shape[0], steps), seed=seed)
            level = ops.clip(level + spread * noise, 0.0, 1.0)
        sign = ops.stack(draws[steps:], axis=1)
        amount = self._amounts(operation, level, sign, shape)
        return {"operation": operation, "amount": amount}

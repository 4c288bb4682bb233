from collections.abc import Sequence

from keras_regopt._registry import register
from keras_regopt.augmentation.image._policy import PolicyAugmentation

LARGEST_MAGNITUDE = 30


@register
class TrivialAugmentWide(PolicyAugmentation):
    """Puts each image through one random operation of random magnitude.

    As good as searched policies on image classifiers, with nothing to tune.
    The operation, its magnitude (one of 31) and its sign are drawn for each
    image by itself, over wider ranges than those of `RandAugment`:

    - `identity`: no amount
    - `shear_x`, `shear_y`: 0.99 pixels for each pixel along the other axis
    - `translate_x`, `translate_y`: 32 pixels
    - `rotate`: 135 degrees
    - `brightness`, `color`, `contrast`, `sharpness`: factor 0.01 or 1.99
    - `posterize`: 2 of 8 bits are kept
    - `solarize`: all levels from 0 on are inverted
    - `autocontrast`, `equalize`: the same at any magnitude

    They are the operations of Pillow, with the ranges of torchvision.
    Bounding boxes, masks and keypoints follow the geometric operations.

    Args:
        operations: List of the names of the operations to draw from; a name
            that comes twice is drawn twice as often. Defaults to `None`, all
            of the list.
        value_range: The pair of the lowest and the highest value that a pixel
            can have. Defaults to `(0, 255)`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `interpolation` (`"nearest"` or a smoother one), `fill_mode`
            and `fill_value` (black unless set) for what the geometric
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
        >>> layer = TrivialAugmentWide(seed=0)
        >>> layer(np.zeros((4, 32, 32, 3), "uint8")).shape == (4, 32, 32, 3)
        True

    References:
        Müller and Hutter 2021, TrivialAugment: tuning-free yet
        state-of-the-art data augmentation (arXiv 2103.10158).
    """

    ranges = {
        "identity": (0, 0, False),
        "shear_x": (0, 0.99, True),
        "shear_y": (0, 0.99, True),
        "translate_x": (0, 32, True),
        "translate_y": (0, 32, True),
        "rotate": (0, 135, True),
        "brightness": (0, 0.99, True),
        "color": (0, 0.99, True),
        "contrast": (0, 0.99, True),
        "sharpness": (0, 0.99, True),
        "posterize": (8, 2, False),
        "solarize": (255, 0, False),
        "autocontrast": (0, 0, False),
        "equalize": (0, 0, False),
    }
    moves_by_pixels = True
    usual_fill = 0

    def __init__(
        self,
        operations: Sequence[str] | None = None,
        value_range: tuple[float, float] = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.operations = self._known(operations)

    def sample(self, shape, seed):
        draws = self.uniforms(3, shape[0], seed)
        which, magnitude, sign = (draw[:, None] for draw in draws)
        operation = self._drawn_operation(which)
        number = self._drawn_number(magnitude, LARGEST_MAGNITUDE + 1)
        level = self.ops.cast(number, "float32") / LARGEST_MAGNITUDE
        amount = self._amounts(operation, level, sign, shape)
        return {"operation": operation, "amount": amount}

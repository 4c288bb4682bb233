import numpy as np

from keras_regopt._validate import fail, in_range, one_of
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._ranges import whole_number
from keras_regopt.augmentation._switch_map import switch_map
from keras_regopt.augmentation.image._base import ImageAugmentation
from keras_regopt.augmentation.image._mask_fill import mask_fill
from keras_regopt.augmentation.image._values import as_floats, in_dtype_of
from keras_regopt.augmentation.image.functional import _matrices, _tables
from keras_regopt.augmentation.image.functional._boxes import box_format
from keras_regopt.augmentation.image.functional._operations import (
    FACTORS,
    GEOMETRIC,
    LEVELS,
    POINTWISE,
    matrices,
)
from keras_regopt.augmentation.image.functional._warp import (
    FILL_MODES,
    INTERPOLATIONS,
    warp,
)

# The ranges of AutoAugment and RandAugment; see `PolicyAugmentation`.
USUAL_RANGES = {
    "identity": (0, 0, False),
    "shear_x": (0, 0.3, True),
    "shear_y": (0, 0.3, True),
    "translate_x": (0, 150 / 331, True),
    "translate_y": (0, 150 / 331, True),
    "rotate": (0, 30, True),
    "brightness": (0, 0.9, True),
    "color": (0, 0.9, True),
    "contrast": (0, 0.9, True),
    "sharpness": (0, 0.9, True),
    "posterize": (8, 4, False),
    "solarize": (255, 0, False),
    "autocontrast": (0, 0, False),
    "equalize": (0, 0, False),
}


class PolicyAugmentation(ImageAugmentation):
    """Base of the augmentations that draw from a list of operations.

    A subclass sets `ranges` and writes `sample`, which returns a dict of
    `"operation"`, an integer tensor of shape `(batch, steps)`, the numbers of
    the operations that each image goes through, one after the other, and
    `"amount"`, a float32 tensor of that shape. `_drawn_operation` and
    `_amounts` make them.

    Only what was drawn for an image is computed for it. Masks, bounding boxes
    and keypoints move with each geometric operation in its turn.

    Args:
        value_range: The pair of the lowest and the highest value that a pixel
            can have. Defaults to `(0, 255)`.
        interpolation: `"nearest"`, `"bilinear"` or `"bicubic"`. Defaults to
            `"nearest"`.
        fill_mode: What is seen beyond the edge: `"constant"` is `fill_value`;
            for the others see `RandomAffine`. Defaults to `"constant"`.
        fill_value: Value of the pixels that `"constant"` fills in, in the
            units of the images. Defaults to `None`, what the
            publication has.
        bounding_box_format: Format of the boxes in the inputs, one of Keras'
            formats, such as `"xyxy"` or `"rel_xywh"`. Defaults to `None`: no
            boxes.
        mask_fill_value: Class of the pixels of masks that `"constant"` fills
            in, such as the 255 that a loss ignores. Defaults to `0`.
        **kwargs: `rate`, `seed` and `data_format` of `ImageAugmentation`, and
            `name` and `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among the values above.
    """

    targets = frozenset({"segmentation_masks", "bounding_boxes", "keypoints"})

    # Bytes are worked upon as bytes.
    computes_in_floats = False

    # The operations, by the names in `_operations`: the amount at the least
    # and at the greatest magnitude, and whether its sign is drawn. Factors
    # count from 1, and translations are in heights and widths, or in pixels.
    ranges: dict[str, tuple[float, float, bool]] = {}
    moves_by_pixels = False

    # What fills the space beyond the edge unless the user says otherwise.
    usual_fill = 128

    # A subclass that lets its user choose among them takes this argument.
    operations = None

    def __init__(
        self,
        *,
        value_range: tuple[float, float] = (0, 255),
        interpolation: str = "nearest",
        fill_mode: str = "constant",
        fill_value: float | None = None,
        bounding_box_format: str | None = None,
        mask_fill_value: float = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.value_range = checked_range(self, value_range)
        self.interpolation = one_of(
            self, "interpolation", interpolation, INTERPOLATIONS
        )
        self.fill_mode = one_of(self, "fill_mode", fill_mode, FILL_MODES)
        self.fill_value = in_range(
            self, "fill_value", fill_value, optional=True
        )
        self.bounding_box_format = box_format(self, bounding_box_format)
        self.mask_fill_value = in_range(
            self, "mask_fill_value", mask_fill_value
        )

    def apply(self, inputs, parameters):
        if _tables.are_bytes(inputs, self.value_range):
            return self._on_levels(inputs, parameters)
        levels = _tables.to_levels(as_floats(inputs), self.value_range)
        levels = self._on_levels(levels, parameters)
        return _tables.from_levels(levels, self.value_range)

    def apply_to_masks(self, masks, parameters):
        size = self.ops.shape(masks)[1:3]

        fill = mask_fill(self, masks)

        def moved(masks, matrix):
            return warp(masks, matrix, size, "nearest", self.fill_mode, fill)

        return switch_map(
            masks,
            self._branches(parameters["operation"], ["identity", "warp"]),
            [lambda masks, matrix: masks, moved],
            self._matrices(parameters, size),
        )

    def apply_to_boxes(self, boxes, parameters, shape):
        ops = self.ops
        matrix = self._matrices(parameters, shape[1:3])
        height, width = (ops.cast(size, "float32") for size in shape[1:3])
        edge = ops.stack([width, height, width, height])
        for step in range(matrix.shape[1]):
            boxes = _matrices.moved_boxes(boxes, matrix[:, step])
            # What has left the image does not come back by the next step.
            boxes = ops.minimum(ops.maximum(boxes, 0.0), edge)
        return boxes

    def apply_to_keypoints(self, points, parameters, shape):
        matrix = self._matrices(parameters, shape[1:3])
        for step in range(matrix.shape[1]):
            points = _matrices.moved_points(points, matrix[:, step])
        return points

    def _on_levels(self, images, parameters):
        """What becomes of images, as bytes or as floats from 0 to 255."""
        size = self.ops.shape(images)[1:3]
        fill = self._fill_level()

        def warped(images, part):
            moved = warp(
                images,
                part["matrix"],
                size,
                self.interpolation,
                self.fill_mode,
                fill,
            )
            return in_dtype_of(moved, images, LEVELS)

        functions = {"warp": warped}
        for name in self._names:
            if name in POINTWISE:
                functions[name] = _pointwise(POINTWISE[name])
        return switch_map(
            images,
            self._branches(parameters["operation"], list(functions)),
            list(functions.values()),
            {
                "amount": parameters["amount"],
                "matrix": self._matrices(parameters, size),
            },
        )

    @property
    def _names(self):
        return tuple(self.operations or self.ranges)

    def _known(self, operations):
        """The argument `operations`, checked."""
        if operations is None:
            return None
        good = isinstance(operations, (list, tuple)) and operations
        if not good or not all(name in self.ranges for name in operations):
            names = ", ".join(repr(name) for name in self.ranges)
            fail(
                self,
                "operations",
                f"None or a list of at least one of {names}",
                operations,
            )
        return list(operations)

    def _drawn_operation(self, draw):
        """The number of an operation for each draw from 0 to 1, all alike."""
        return self._drawn_number(draw, len(self._names))

    def _drawn_number(self, draw, count):
        """A whole number from 0 to `count - 1` for each draw from 0 to 1."""
        return self.ops.cast(whole_number((0, count - 1), draw), "int32")

    def _amounts(self, operation, level, draw, shape):
        """How much of each operation.

        Args:
            operation: Integer tensor, the numbers of operations.
            level: Tensor of that shape, or a number: the magnitudes, from 0
                to 1.
            draw: Tensor of that shape of random numbers, for the signs.
            shape: What `sample` gets.

        Returns:
            A float32 tensor of that shape, in the units of `_operations`.
        """
        ops, names = self.ops, self._names
        rows = [self.ranges[name] for name in names]
        low, high, signed = np.array(rows, "float32").T
        around = np.array([name in FACTORS for name in names], "float32")
        span = self._of(operation, high - low)
        amount = self._of(operation, low) + span * level
        negative = (self._of(operation, signed) > 0) & (draw < 0.5)
        amount = ops.where(negative, -amount, amount)
        amount = self._of(operation, around) + amount
        if self.moves_by_pixels:
            return amount
        sizes = {"translate_x": shape[2], "translate_y": shape[1]}
        for move, size in sizes.items():
            here = np.array([name == move for name in names])
            moved = amount * ops.cast(size, "float32")
            amount = ops.where(self._of(operation, here), moved, amount)
        return amount

    def _of(self, operation, table):
        """The entries of an array, one an operation, for their numbers."""
        table = self.ops.convert_to_tensor(table)
        return self.ops.take(table, operation, axis=0)

    def _branches(self, operation, functions):
        """Which of some functions do these operations.

        Args:
            operation: Integer tensor, the numbers of operations.
            functions: List of names, of an operation each or `"warp"`, which
                does those that are geometric. The first one does all others.

        Returns:
            An integer tensor of the shape of `operation`.
        """
        table = []
        for name in self._names:
            name = "warp" if name in GEOMETRIC else name
            table.append(functions.index(name) if name in functions else 0)
        return self._of(operation, np.array(table, "int32"))

    def _matrices(self, parameters, size):
        """The matrix of each step, of shape `(batch, steps, 3, 3)`."""
        operation, amount = parameters["operation"], parameters["amount"]
        steps = [
            matrices(self._names, operation[:, i], amount[:, i], *size)
            for i in range(operation.shape[1])
        ]
        return self.ops.stack(steps, axis=1)

    def _fill_level(self):
        """`fill_value`, where black is 0 and white 255."""
        if self.fill_value is None:
            return self.usual_fill
        low, high = self.value_range
        return (self.fill_value - low) * LEVELS[1] / (high - low)


def _pointwise(function):
    return lambda images, part: function(images, part["amount"])

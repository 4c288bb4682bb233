from keras_regopt._registry import register
from keras_regopt._validate import in_range, positive_int
from keras_regopt.augmentation.image._policy import PolicyAugmentation

LARGEST_MAGNITUDE = 30


@register
class RandAugment(PolicyAugmentation):
    """X."""

    ranges = {
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

    def __init__(
        self,
        num_ops=2,
        magnitude=9,
        magnitude_std=0.0,
        operations=None,
        value_range=(0, 255),
        seed=None,
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
            noise = self.random.normal(
                (shape[0], steps), dtype="float32", seed=seed
            )
            level += self.magnitude_std / LARGEST_MAGNITUDE * noise
            level = ops.clip(level, 0.0, 1.0)
        sign = ops.stack(draws[steps:], axis=1)
        amount = self._amounts(operation, level, sign, shape)
        return {"operation": operation, "amount": amount}

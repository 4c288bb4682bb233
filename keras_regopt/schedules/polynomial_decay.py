from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.schedules._base import Schedule


@register
class PolynomialDecay(Schedule):
    """Falls to a last learning rate along a power of the remaining time.

    At step `t` the rate is `end_learning_rate + (initial_learning_rate -
    end_learning_rate) * (1 - t / decay_steps) ** power`, and
    `end_learning_rate` from step `decay_steps` on. `power=1` is a straight
    line, as transformers are often fine-tuned with. A drop-in for Keras'
    schedule of this name.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        decay_steps: Number of steps of the fall, a number > 0.
        end_learning_rate: The last rate, a number >= 0. Defaults to `0.0001`.
        power: The power, a number > 0. Defaults to `1.0`.
        cycle: Whether, beyond `decay_steps`, the fall is stretched to the next
            multiple of `decay_steps`, which makes the rate rise again there.
            Defaults to `False`.
        name: Optional name.

    Examples:
        >>> schedule = PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 11)]
        [1.0, 0.5, 0.0, 0.0]

    References:
        `keras.optimizers.schedules.PolynomialDecay`.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.decay_steps = in_range(self, "decay_steps", decay_steps, above=0)
        self.end_learning_rate = in_range(
            self, "end_learning_rate", end_learning_rate, low=0
        )
        self.power = in_range(self, "power", power, above=0)
        self.cycle = boolean(self, "cycle", cycle)
        self.name = name

    def rate_at(self, step):
        end = self.decay_steps
        if self.cycle:
            end = end * ops.maximum(ops.ceil(step / end), 1)
        # The difference first, so that the end is exact however it is compiled.
        left = ops.maximum(end - step, 0) / end
        fall = self.initial_learning_rate - self.end_learning_rate
        return self.end_learning_rate + fall * ops.power(left, self.power)

import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules._clock import steps_per_epoch_or_none, time_of


@register
class ExponentialDecay(Schedule):
    """Multiplies the learning rate by the same factor in every step.

    At time `t` the rate is
    `initial_learning_rate * decay_rate ** (t / decay_steps)`. A drop-in for
    Keras' schedule of this name; beyond it, the time may count epochs, which
    with `decay_rate=exp(-k)` is the textbooks' `exp(-k * epoch)`.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        decay_steps: Steps (or epochs) until the rate has been multiplied by
            `decay_rate`, a number > 0.
        decay_rate: The factor of `decay_steps` steps, a number > 0.
        staircase: Whether the rate changes only at the end of each interval of
            `decay_steps`. Defaults to `False`.
        name: Optional name.
        steps_per_epoch: Steps of an epoch, at least 1; `decay_steps` then
            counts epochs. `None` counts steps. Defaults to `None`.

    Examples:
        >>> schedule = ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)
        >>> [round(float(schedule(step)), 4) for step in (0, 10, 15)]
        [1.0, 0.5, 0.3536]

    References:
        `keras.optimizers.schedules.ExponentialDecay`.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
        *,
        steps_per_epoch: int | None = None,
    ):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.decay_steps = in_range(self, "decay_steps", decay_steps, above=0)
        self.decay_rate = in_range(self, "decay_rate", decay_rate, above=0)
        self.staircase = boolean(self, "staircase", staircase)
        self.name = name
        self.steps_per_epoch = steps_per_epoch_or_none(self, steps_per_epoch)

    def rate_at(self, step):
        intervals = time_of(step, self.steps_per_epoch) / self.decay_steps
        if self.staircase:
            intervals = ops.floor(intervals)
        exponent = intervals * math.log(self.decay_rate)
        return self.initial_learning_rate * ops.exp(exponent)

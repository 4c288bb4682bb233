from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, positive_int
from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules._clock import steps_per_epoch_or_none, time_of


@register
class StepDecay(Schedule):
    """Multiplies the learning rate by a factor at even intervals.

    At time `t` the rate is
    `initial_learning_rate * decay_rate ** floor(t / decay_steps)`. The time
    counts steps, or whole epochs with `steps_per_epoch`: "divide by ten every
    30 epochs" is `StepDecay(0.1, 30, 0.1, steps_per_epoch=...)`. The values are
    those of torch's `StepLR`.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        decay_steps: Steps (or epochs) between two changes, at least 1.
        decay_rate: What the rate is multiplied by at each change, in (0, 1].
        steps_per_epoch: Steps of an epoch, at least 1; `decay_steps` then
            counts epochs. `None` counts steps. Defaults to `None`.

    Examples:
        >>> schedule = StepDecay(1.0, decay_steps=10, decay_rate=0.5)
        >>> [round(float(schedule(step)), 4) for step in (0, 9, 10, 25)]
        [1.0, 1.0, 0.5, 0.25]

    References:
        He et al. 2016, Deep residual learning (arXiv 1512.03385), section 3.4.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        steps_per_epoch: int | None = None,
    ):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.decay_steps = positive_int(self, "decay_steps", decay_steps)
        self.decay_rate = in_range(
            self, "decay_rate", decay_rate, above=0, high=1
        )
        self.steps_per_epoch = steps_per_epoch_or_none(self, steps_per_epoch)

    def rate_at(self, step):
        time = time_of(step, self.steps_per_epoch)
        changes = ops.floor(time / self.decay_steps)
        return self.initial_learning_rate * ops.power(self.decay_rate, changes)

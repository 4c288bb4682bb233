from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules._clock import steps_per_epoch_or_none, time_of


@register
class TimeBasedDecay(Schedule):
    """Divides the learning rate by a number that grows with time.

    At time `t` the rate is `initial_learning_rate / (1 + decay_rate * t)`: it
    falls fast at first and ever more slowly later, the classic for convex
    problems. The time counts steps, or whole epochs with `steps_per_epoch`.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        decay_rate: How much the divisor grows by in a step (or in an epoch), a
            number >= 0. After `1 / decay_rate` steps the rate is halved.
        steps_per_epoch: Steps of an epoch, at least 1: the rate then changes
            at the end of each epoch only. `None` counts steps. Defaults to
            `None`.

    Examples:
        >>> schedule = TimeBasedDecay(0.1, decay_rate=1, steps_per_epoch=10)
        >>> [round(float(schedule(step)), 4) for step in (0, 9, 10, 30)]
        [0.1, 0.1, 0.05, 0.025]

    References:
        Robbins and Monro 1951, A stochastic approximation method; Goodfellow,
        Bengio and Courville 2016, Deep Learning, section 8.3.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_rate: float,
        steps_per_epoch: int | None = None,
    ):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.decay_rate = in_range(self, "decay_rate", decay_rate, low=0)
        self.steps_per_epoch = steps_per_epoch_or_none(self, steps_per_epoch)

    def rate_at(self, step):
        time = time_of(step, self.steps_per_epoch)
        return self.initial_learning_rate / (1 + self.decay_rate * time)

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import RateOrSchedule
from keras_regopt._validate import in_range
from keras_regopt.schedules._base import Schedule, rate_of, rate_or_schedule


@register
class Floor(Schedule):
    """A schedule that never falls below a lowest learning rate.

    The rate is `max(schedule(step), minimum)`.

    Args:
        schedule: Any `LearningRateSchedule` (or a number >= 0).
        minimum: The lowest rate, a number >= 0.

    Examples:
        >>> fall = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
        >>> schedule = Floor(fall, minimum=0.2)
        >>> [round(float(schedule(step)), 4) for step in (0, 1, 2, 3)]
        [1.0, 0.5, 0.25, 0.2]
    """

    def __init__(self, schedule: RateOrSchedule, minimum: float):
        self.schedule = rate_or_schedule(self, "schedule", schedule)
        self.minimum = in_range(self, "minimum", minimum, low=0)

    def rate_at(self, step):
        return ops.maximum(rate_of(self.schedule, step), self.minimum)

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import RateOrSchedule
from keras_regopt._validate import in_range
from keras_regopt.schedules._base import Schedule, rate_of, rate_or_schedule


@register
class Scale(Schedule):
    """A schedule times a constant factor.

    The rate is `factor * schedule(step)`. `ReduceLROnPlateau` puts it around
    the schedule of an optimizer when it cuts the rate, and a saved model
    holds it from then on. A `Scale` of a `Scale` becomes one `Scale` with the
    product of the factors, so repeated cuts do not pile up.

    Args:
        schedule: A number >= 0 or any `LearningRateSchedule`. It gets the
            step as the optimizer counts it.
        factor: What the rate is multiplied by, a number >= 0.

    Examples:
        >>> import keras
        >>> decay = keras.optimizers.schedules.ExponentialDecay(0.8, 10, 0.5)
        >>> schedule = Scale(decay, factor=0.25)
        >>> [round(float(schedule(step)), 4) for step in (0, 10, 20)]
        [0.2, 0.1, 0.05]
        >>> Scale(schedule, factor=0.5).factor
        0.125
    """

    def __init__(self, schedule: RateOrSchedule, factor: float):
        self.schedule = rate_or_schedule(self, "schedule", schedule)
        self.factor = in_range(self, "factor", factor, low=0)
        if isinstance(self.schedule, Scale):
            self.factor *= self.schedule.factor
            self.schedule = self.schedule.schedule

    def __call__(self, step):
        # The step unchanged: other schedules may expect an integer.
        return self.rate_at(step)

    def rate_at(self, step):
        rate = ops.cast(rate_of(self.schedule, step), "float32")
        return self.factor * rate

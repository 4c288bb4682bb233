from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import RateOrSchedule
from keras_regopt._validate import in_range, positive_int
from keras_regopt.schedules._base import Schedule, rate_of, rate_or_schedule


@register
class Warmup(Schedule):
    """Raises the learning rate linearly, then hands over to a schedule.

    From `start` at step 0 the rate goes in a straight line to
    `schedule(warmup_steps)`, which it reaches at step `warmup_steps`; from
    there on it is `schedule(step)`. The schedule's own clock runs from step 0
    throughout, so its length is that of the whole training. Use it where the
    first steps are too bold: large batches, transformers, Adam with a high
    rate.

    Args:
        schedule: A number >= 0 or any `LearningRateSchedule`.
        warmup_steps: Number of steps of the ascent, at least 1.
        start: The rate at step 0, a number >= 0. Defaults to `0.0`.

    Examples:
        >>> schedule = Warmup(0.1, warmup_steps=10)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 100)]
        [0.0, 0.05, 0.1, 0.1]

    References:
        Goyal et al. 2017, Accurate, large minibatch SGD, section 2.2
        (arXiv 1706.02677).
    """

    def __init__(
        self, schedule: RateOrSchedule, warmup_steps: int, start: float = 0.0
    ):
        self.schedule = rate_or_schedule(self, "schedule", schedule)
        self.warmup_steps = positive_int(self, "warmup_steps", warmup_steps)
        self.start = in_range(self, "start", start, low=0)

    def rate_at(self, step):
        end = rate_of(self.schedule, float(self.warmup_steps))
        ascent = self.start + (end - self.start) * step / self.warmup_steps
        return ops.where(
            step < self.warmup_steps, ascent, rate_of(self.schedule, step)
        )

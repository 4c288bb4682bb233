import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import RateOrSchedule
from keras_regopt._validate import in_range, positive_int
from keras_regopt.schedules._base import Schedule, rate_of, rate_or_schedule


@register
class Repeat(Schedule):
    """Starts a schedule again and again: warm restarts.

    The first run lasts `period` steps, each later one `period_factor` times as
    long as the one before. The schedule is stretched to the length of its run,
    so it is written for `period` steps. Run `c` (0, 1, ...) is scaled by
    `rate_factor ** c`. `Repeat(CosineDecay(0.1, 1000), 1000)` are the warm
    restarts of SGDR, which keep a training from settling too early and leave a
    good model at the end of each run.

    Args:
        schedule: Any `LearningRateSchedule` (or a number >= 0).
        period: Number of steps of the first run, at least 1.
        period_factor: Factor on the length from run to run, a number >= 1.
            Defaults to `1.0`.
        rate_factor: Factor on the rate from run to run, in (0, 1]. Defaults to
            `1.0`.

    Examples:
        >>> fall = keras.optimizers.schedules.CosineDecay(1.0, 10)
        >>> schedule = Repeat(fall, period=10, period_factor=2)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 20, 30)]
        [1.0, 0.5, 1.0, 0.5, 1.0]

    References:
        Loshchilov and Hutter 2017, SGDR (arXiv 1608.03983).
    """

    def __init__(
        self,
        schedule: RateOrSchedule,
        period: int,
        period_factor: float = 1.0,
        rate_factor: float = 1.0,
    ):
        self.schedule = rate_or_schedule(self, "schedule", schedule)
        self.period = positive_int(self, "period", period)
        self.period_factor = in_range(
            self, "period_factor", period_factor, low=1
        )
        self.rate_factor = in_range(
            self, "rate_factor", rate_factor, above=0, high=1
        )

    def rate_at(self, step):
        run, own_step = self._locate(step)
        rate = rate_of(self.schedule, own_step)
        return rate * ops.power(self.rate_factor, run)

    def _locate(self, step):
        """Which run a step is in, and which step of the schedule it is."""
        factor = self.period_factor
        if factor == 1:
            run = ops.floor(step / self.period)
            return run, step - run * self.period
        # The runs before run c last period * (factor ** c - 1) / (factor - 1).
        passed = step / self.period * (factor - 1) + 1
        run = ops.floor(ops.log(passed) / math.log(factor))
        # The logarithm may round to the wrong side of a restart.
        run = ops.where(self._start(run + 1) <= step, run + 1, run)
        run = ops.where(self._start(run) > step, run - 1, run)
        length_factor = ops.power(factor, run)
        return run, (step - self._start(run)) / length_factor

    def _start(self, run):
        factor = self.period_factor
        start = self.period * (ops.power(factor, run) - 1) / (factor - 1)
        if float(factor).is_integer():
            return ops.round(start)
        return start

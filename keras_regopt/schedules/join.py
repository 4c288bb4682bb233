from collections.abc import Sequence

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import RateOrSchedule
from keras_regopt._validate import fail
from keras_regopt.schedules._base import Schedule, rate_of, rate_or_schedule
from keras_regopt.schedules._phases import rising_steps


@register
class Join(Schedule):
    """One schedule after the other.

    Before `boundaries[0]` the first schedule counts, from there to
    `boundaries[1]` the second, and so on. The clock of each starts at 0 at its
    own boundary (the first one's at step 0), unlike that of a schedule behind a
    `Warmup`. Nothing smooths the joins.

    Args:
        schedules: At least two numbers >= 0 or schedules.
        boundaries: Rising steps, one fewer than there are schedules.

    Raises:
        ValueError: If the boundaries do not rise, or are not one fewer than
            the schedules.

    Examples:
        >>> fall = keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)
        >>> schedule = Join([0.1, fall], boundaries=[100])
        >>> [round(float(schedule(step)), 4) for step in (99, 100, 110)]
        [0.1, 1.0, 0.5]

    References:
        `optax.schedules.join_schedules`.
    """

    def __init__(
        self, schedules: Sequence[RateOrSchedule], boundaries: Sequence[int]
    ):
        if not isinstance(schedules, (list, tuple)) or len(schedules) < 2:
            fail(
                self,
                "schedules",
                "a list of at least two numbers >= 0 or schedules",
                schedules,
            )
        self.schedules = [
            rate_or_schedule(self, "schedules", s) for s in schedules
        ]
        self.boundaries = rising_steps(self, "boundaries", boundaries)
        if len(self.boundaries) != len(self.schedules) - 1:
            number = len(self.schedules) - 1
            fail(
                self,
                "boundaries",
                f"a list of {number} rising integers, one fewer than there "
                "are schedules",
                boundaries,
            )

    def rate_at(self, step):
        rate = rate_of(self.schedules[0], step)
        for boundary, schedule in zip(
            self.boundaries, self.schedules[1:], strict=True
        ):
            # Never negative, since some schedules would return NaN.
            own_step = ops.maximum(step - boundary, 0)
            rate = ops.where(step < boundary, rate, rate_of(schedule, own_step))
        return rate

import math
from collections.abc import Sequence

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, one_of
from keras_regopt.schedules._base import Schedule
from keras_regopt.schedules._phases import rising_steps


@register
class PiecewiseInterpolation(Schedule):
    """Goes from one given learning rate to the next, at given steps.

    Between `boundaries[i]` and `boundaries[i + 1]` the rate moves from
    `values[i]` to `values[i + 1]`, in a straight line or along half a cosine.
    Before the first boundary it is the first value, after the last one the
    last value. Any curve that is easier to draw than to name is made this way.

    Args:
        boundaries: Rising steps, at least two integers >= 0.
        values: The rates at these steps, as many numbers >= 0.
        interpolation: `"linear"` or `"cosine"`. Defaults to `"linear"`.

    Raises:
        ValueError: If the boundaries do not rise, the numbers of boundaries and
            values differ, or a value is negative.

    Examples:
        >>> schedule = PiecewiseInterpolation([0, 10, 20], [0.0, 1.0, 0.5])
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 15, 99)]
        [0.0, 0.5, 0.75, 0.5]

    References:
        `optax.schedules.piecewise_interpolate_schedule`.
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        interpolation: str = "linear",
    ):
        self.boundaries = rising_steps(self, "boundaries", boundaries, 2)
        if not isinstance(values, (list, tuple)) or len(values) != len(
            self.boundaries
        ):
            number = len(self.boundaries)
            fail(self, "values", f"a list of {number} numbers >= 0", values)
        self.values = [in_range(self, "values", v, low=0) for v in values]
        self.interpolation = one_of(
            self, "interpolation", interpolation, ("linear", "cosine")
        )

    def rate_at(self, step):
        rate = self.values[0]
        for i in range(len(self.values) - 1):
            begin, end = self.boundaries[i : i + 2]
            progress = ops.clip((step - begin) / (end - begin), 0, 1)
            if self.interpolation == "cosine":
                progress = (1 - ops.cos(math.pi * progress)) / 2
            rate = rate + (self.values[i + 1] - self.values[i]) * progress
        return rate

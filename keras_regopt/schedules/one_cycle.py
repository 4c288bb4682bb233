import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer
from keras_regopt.schedules._base import Schedule


@register
class OneCycle(Schedule):
    """One rise to a high learning rate and one long fall to almost none.

    Both phases follow half a cosine: from `peak / start_divisor` up to `peak`,
    then down to `peak / (start_divisor * end_divisor)`, which is reached at
    step `total_steps - 1` and held from there on. The high rate in the middle
    regularizes and the fall lets the weights settle, so that fewer epochs
    suffice. The values are those of torch's `OneCycleLR`.

    Args:
        peak: The highest learning rate, a number > 0.
        total_steps: Number of steps of the whole training (epochs times steps
            per epoch), at least 2.
        warmup_fraction: The part of the steps on the way up, in (0, 1).
            Defaults to `0.3`.
        start_divisor: `peak` divided by the first rate, at least 1. Defaults
            to `25.0`.
        end_divisor: The first rate divided by the last one, at least 1.
            Defaults to `1e4`.

    Raises:
        ValueError: If an argument is out of its range, or
            `warmup_fraction * total_steps` is not above 1.

    Examples:
        >>> schedule = OneCycle(peak=1.0, total_steps=100)
        >>> [round(float(schedule(step)), 4) for step in (0, 29, 64, 99)]
        [0.04, 1.0, 0.5, 0.0]

    References:
        Smith and Topin 2018, Super-convergence (arXiv 1708.07120).
    """

    def __init__(
        self,
        peak,
        total_steps,
        warmup_fraction=0.3,
        start_divisor=25.0,
        end_divisor=1e4,
    ):
        self.peak = in_range(self, "peak", peak, above=0)
        self.total_steps = integer(self, "total_steps", total_steps, low=2)
        self.warmup_fraction = in_range(
            self, "warmup_fraction", warmup_fraction, above=0, below=1
        )
        self.start_divisor = in_range(
            self, "start_divisor", start_divisor, low=1
        )
        self.end_divisor = in_range(self, "end_divisor", end_divisor, low=1)
        if self.warmup_fraction * self.total_steps <= 1:
            fail(
                self,
                "warmup_fraction",
                f"a number > 1 / total_steps = {1 / self.total_steps:.3g}",
                warmup_fraction,
                "Otherwise there is no step on the way up.",
            )

    def rate_at(self, step):
        start = self.peak / self.start_divisor
        peak_step = self.warmup_fraction * self.total_steps - 1
        last_step = self.total_steps - 1
        rise = step / peak_step
        fall = (ops.minimum(step, last_step) - peak_step) / (
            last_step - peak_step
        )
        return ops.where(
            step <= peak_step,
            _half_cosine(start, self.peak, rise),
            _half_cosine(self.peak, start / self.end_divisor, fall),
        )


def _half_cosine(start, end, progress):
    return end + (start - end) / 2 * (1 + ops.cos(math.pi * progress))

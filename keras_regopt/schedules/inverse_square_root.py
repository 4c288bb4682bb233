from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, positive_int
from keras_regopt.schedules._base import Schedule


@register
class InverseSquareRoot(Schedule):
    """A linear warm-up, then a fall with the inverse square root of the step.

    Up to step `warmup_steps` the rate is `peak * step / warmup_steps`, from
    there on `peak * sqrt(warmup_steps / step)`. It never reaches zero, so the
    training may go on for as long as it pays. The schedule of the first
    transformers ("Noam"), where `peak = (model_size * warmup_steps) ** -0.5`.

    Args:
        peak: The highest rate, a number >= 0.
        warmup_steps: Number of steps of the warm-up, at least 1.

    Examples:
        >>> schedule = InverseSquareRoot(peak=1.0, warmup_steps=4)
        >>> [round(float(schedule(step)), 4) for step in (0, 2, 4, 16)]
        [0.0, 0.5, 1.0, 0.5]

    References:
        Vaswani et al. 2017, Attention is all you need, section 5.3 (arXiv
        1706.03762).
    """

    def __init__(self, peak: float, warmup_steps: int):
        self.peak = in_range(self, "peak", peak, low=0)
        self.warmup_steps = positive_int(self, "warmup_steps", warmup_steps)

    def rate_at(self, step):
        ascent = step / self.warmup_steps
        descent = ops.sqrt(self.warmup_steps / ops.maximum(step, 1))
        return self.peak * ops.minimum(ascent, descent)

import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import fail, in_range, integer
from keras_regopt.schedules._base import Schedule


@register
class CosineDecay(Schedule):
    """Falls along half a cosine: slow at both ends, fast in the middle.

    At step `t` the rate is `top * (alpha + (1 - alpha) * (1 + cos(pi * t /
    decay_steps)) / 2)`, and `top * alpha` from step `decay_steps` on. `top` is
    `initial_learning_rate`, or `warmup_target` after a warm-up, whose steps
    `decay_steps` does not count. A drop-in for Keras' schedule of this name.
    For warm restarts put `Repeat` around it, for a lowest rate `Floor`.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        decay_steps: Number of steps of the fall, a number > 0.
        alpha: The last rate as a fraction of the highest, in [0, 1]. Defaults
            to `0.0`.
        name: Optional name.
        warmup_target: The rate that a linear warm-up ends with, a number >= 0,
            or `None` for no warm-up. Defaults to `None`.
        warmup_steps: Number of steps of the warm-up, at least 0; needs a
            `warmup_target`. Defaults to `0`.

    Raises:
        ValueError: If `warmup_steps` comes without `warmup_target`.

    Examples:
        >>> schedule = CosineDecay(1.0, decay_steps=10, alpha=0.1)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 11)]
        [1.0, 0.55, 0.1, 0.1]

    References:
        Loshchilov and Hutter 2017, SGDR (arXiv 1608.03983).
    """

    search_space = {
        "initial_learning_rate": Range(1e-5, 1.0, log=True),
        "alpha": Range(0.0, 0.2),
    }

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.decay_steps = in_range(self, "decay_steps", decay_steps, above=0)
        self.alpha = in_range(self, "alpha", alpha, low=0, high=1)
        self.name = name
        self.warmup_target = in_range(
            self, "warmup_target", warmup_target, low=0, optional=True
        )
        self.warmup_steps = integer(self, "warmup_steps", warmup_steps, low=0)
        if self.warmup_steps and self.warmup_target is None:
            fail(
                self,
                "warmup_target",
                f"a number where `warmup_steps` is {warmup_steps}",
                warmup_target,
            )

    def rate_at(self, step):
        start, top = self.initial_learning_rate, self.warmup_target
        if top is None:
            return start * self._fall(step)
        ascent = start + (top - start) * step / max(self.warmup_steps, 1)
        fall = top * self._fall(step - self.warmup_steps)
        return ops.where(step < self.warmup_steps, ascent, fall)

    def _fall(self, step):
        progress = ops.minimum(step / self.decay_steps, 1)
        cosine = (1 + ops.cos(math.pi * progress)) / 2
        return self.alpha + (1 - self.alpha) * cosine

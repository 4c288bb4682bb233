import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer, one_of, positive_int
from keras_regopt.schedules._base import Schedule


@register
class WarmupStableDecay(Schedule):
    """A linear warm-up, a long constant phase, and a cooldown at the end.

    With the progress `p` through the last `decay_steps` steps, the cooldown is
    `peak` times `1 - p` (`"linear"`), `(1 + cos(pi * p)) / 2` (`"cosine"`) or
    `1 - sqrt(p)` (`"1-sqrt"`), scaled so that it ends at `peak * alpha`.

    Only the cooldown depends on the length of the training. A run that turns
    out too short is continued from a checkpoint of its constant phase with
    `schedule.extended(total_steps)`, and several cooldowns may branch off one
    run.

    Args:
        peak: The rate of the constant phase, a number >= 0.
        total_steps: Number of steps of the whole training, at least 1.
        warmup_steps: Number of steps of the warm-up, at least 0.
        decay_steps: Number of steps of the cooldown, at least 0.
        decay: `"linear"`, `"cosine"` or `"1-sqrt"`. Defaults to `"linear"`.
        alpha: The last rate as a fraction of `peak`, in [0, 1]. Defaults to
            `0.0`.

    Raises:
        ValueError: If `warmup_steps` and `decay_steps` together exceed
            `total_steps`.

    Examples:
        >>> schedule = WarmupStableDecay(1.0, 100, 10, decay_steps=20)
        >>> [round(float(schedule(step)), 4) for step in (5, 50, 90, 100)]
        [0.5, 1.0, 0.5, 0.0]
        >>> float(schedule.extended(total_steps=200)(90))
        1.0

    References:
        Hu et al. 2024, MiniCPM (arXiv 2404.06395); Hägele et al. 2024, Scaling
        laws and compute-optimal training beyond fixed training durations (arXiv
        2405.18392).
    """

    def __init__(
        self,
        peak: float,
        total_steps: int,
        warmup_steps: int,
        decay_steps: int,
        decay: str = "linear",
        alpha: float = 0.0,
    ):
        self.peak = in_range(self, "peak", peak, low=0)
        self.total_steps = positive_int(self, "total_steps", total_steps)
        self.warmup_steps = integer(self, "warmup_steps", warmup_steps, low=0)
        self.decay_steps = integer(self, "decay_steps", decay_steps, low=0)
        self.decay = one_of(
            self, "decay", decay, ("linear", "cosine", "1-sqrt")
        )
        self.alpha = in_range(self, "alpha", alpha, low=0, high=1)
        phases = self.warmup_steps + self.decay_steps
        if phases > self.total_steps:
            fail(
                self,
                "total_steps",
                f"an integer >= warmup_steps + decay_steps = {phases}",
                total_steps,
            )

    def rate_at(self, step):
        ascent = step / max(self.warmup_steps, 1)
        # The difference first, so that the end is exact however it is compiled.
        left = ops.clip(self.total_steps - step, 0, max(self.decay_steps, 1))
        left = left / max(self.decay_steps, 1)
        cooldown = self.alpha + (1 - self.alpha) * self._cooldown(left)
        return self.peak * ops.where(step < self.warmup_steps, ascent, cooldown)

    def extended(self, total_steps):
        """The same schedule with a constant phase of another length.

        Args:
            total_steps: Number of steps of the whole training.

        Returns:
            A `WarmupStableDecay`, equal to this one until the earlier of both
            cooldowns begins.
        """
        return type(self)(**{**self.get_config(), "total_steps": total_steps})

    def _cooldown(self, left):
        if self.decay == "linear":
            return left
        if self.decay == "cosine":
            return (1 - ops.cos(math.pi * left)) / 2
        # It is `1 - sqrt(1 - left)`, which cancels near the end.
        return left / (1 + ops.sqrt(1 - left))

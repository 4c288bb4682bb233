import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._validate import (
    boolean,
    fail,
    in_range,
    integer,
    one_of,
)
from keras_regopt.schedules._base import Schedule


@register
class OneCycle(Schedule):
    """One rise to a high learning rate and one long fall to almost none.

    The rate goes from `peak / start_divisor` up to `peak`, then down to
    `peak / (start_divisor * end_divisor)`, which is reached at step
    `total_steps - 1` and held from there on; along half a cosine or in straight
    lines. With three phases, the fall first mirrors the rise, down to the first
    rate, before the last phase goes on to the last rate, as in the first of the
    papers. The high rate in the middle regularizes and the fall lets the
    weights settle, so that fewer epochs suffice. The values are those of
    torch's `OneCycleLR`.

    Args:
        peak: The highest learning rate, a number > 0.
        total_steps: Number of steps of the whole training (epochs times steps
            per epoch), at least 2.
        warmup_fraction: Fraction of the steps in which the rate rises, in
            (0, 1), with three phases in (0, 0.5). Defaults to `0.3`.
        start_divisor: `peak` divided by the first rate, at least 1. Defaults
            to `25.0`.
        end_divisor: The first rate divided by the last one, at least 1.
            Defaults to `1e4`.
        three_phase: Whether the fall to the first rate is as long as the rise,
            with a third phase after it. Defaults to `False`.
        anneal: `"cosine"` or `"linear"`. Defaults to `"cosine"`.

    Raises:
        ValueError: If `warmup_fraction * total_steps` is not above 1.

    Examples:
        >>> schedule = OneCycle(peak=1.0, total_steps=100)
        >>> [round(float(schedule(step)), 4) for step in (0, 29, 64, 99)]
        [0.04, 1.0, 0.5, 0.0]

    References:
        Smith and Topin 2018, Super-convergence (arXiv 1708.07120); Smith 2018,
        A disciplined approach, part 1 (arXiv 1803.09820).
    """

    search_space = {"peak": Range(1e-4, 1.0, log=True)}

    def __init__(
        self,
        peak: float,
        total_steps: int,
        warmup_fraction: float = 0.3,
        start_divisor: float = 25.0,
        end_divisor: float = 1e4,
        three_phase: bool = False,
        anneal: str = "cosine",
    ):
        self.peak = in_range(self, "peak", peak, above=0)
        self.total_steps = integer(self, "total_steps", total_steps, low=2)
        self.three_phase = boolean(self, "three_phase", three_phase)
        self.anneal = one_of(self, "anneal", anneal, ("cosine", "linear"))
        self.warmup_fraction = in_range(
            self,
            "warmup_fraction",
            warmup_fraction,
            above=0,
            below=0.5 if self.three_phase else 1,
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
                "Otherwise there is no step in which the rate rises.",
            )

    def rate_at(self, step):
        start = self.peak / self.start_divisor
        rates = [start, self.peak, start / self.end_divisor]
        turn = self.warmup_fraction * self.total_steps - 1
        turns = [0, turn, self.total_steps - 1]
        if self.three_phase:
            rates.insert(2, start)
            turns.insert(2, 2 * turn)
        rate = self._phase(step, turns[:2], rates[:2])
        for i in range(1, len(turns) - 1):
            phase = self._phase(step, turns[i : i + 2], rates[i : i + 2])
            rate = ops.where(step <= turns[i], rate, phase)
        return rate

    def unit_cycle(self):
        """The shape of the cycle alone, for `MomentumCycle`.

        Returns:
            A `OneCycle` that goes from 0 to 1 and back in the same phases.
        """
        # Small enough to be zero where it is subtracted from something.
        unit = {"peak": 1.0, "start_divisor": 1e30, "end_divisor": 1.0}
        return type(self)(**{**self.get_config(), **unit})

    def _phase(self, step, turns, rates):
        progress = ops.clip((step - turns[0]) / (turns[1] - turns[0]), 0, 1)
        if self.anneal == "cosine":
            progress = (1 - ops.cos(math.pi * progress)) / 2
        return rates[0] + (rates[1] - rates[0]) * progress

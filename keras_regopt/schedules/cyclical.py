from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, one_of, positive_int
from keras_regopt.schedules._base import Schedule


@register
class Cyclical(Schedule):
    """Swings between a low and a high learning rate in straight lines.

    A cycle goes up for `step_size` steps and down for as many. Cycle `c`
    (0, 1, ...) reaches up from `low` by `high - low` times

    - `"triangular"`: 1,
    - `"triangular2"`: `1 / 2 ** c`, so the swings halve,
    - `"exp_range"`: `gamma ** t` at step `t`.

    The high rates carry the weights over saddle points and out of sharp minima,
    and a range that `low` and `high` span is easier to choose than one rate.
    The values are those of torch's `CyclicLR`.

    Args:
        low: The lowest rate, a number >= 0.
        high: The highest rate, a number >= `low`.
        step_size: Number of steps of half a cycle, at least 1; the paper
            advises 2 to 10 epochs.
        mode: `"triangular"`, `"triangular2"` or `"exp_range"`. Defaults to
            `"triangular"`.
        gamma: The factor of a step in the mode `"exp_range"`, in (0, 1].
            Defaults to `1.0`.

    Examples:
        >>> schedule = Cyclical(0.1, 0.5, step_size=10)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 20, 30)]
        [0.1, 0.3, 0.5, 0.1, 0.5]

    References:
        Smith 2017, Cyclical learning rates for training neural networks (arXiv
        1506.01186).
    """

    def __init__(
        self,
        low: float,
        high: float,
        step_size: int,
        mode: str = "triangular",
        gamma: float = 1.0,
    ):
        self.low = in_range(self, "low", low, low=0)
        self.high = in_range(self, "high", high, low=0)
        if self.high < self.low:
            fail(self, "high", f"a number >= low = {low}", high)
        self.step_size = positive_int(self, "step_size", step_size)
        self.mode = one_of(
            self, "mode", mode, ("triangular", "triangular2", "exp_range")
        )
        self.gamma = in_range(self, "gamma", gamma, above=0, high=1)

    def rate_at(self, step):
        cycle = ops.floor(step / (2 * self.step_size))
        # Steps into the cycle first: a quotient of large steps loses digits.
        inside = step - cycle * (2 * self.step_size)
        height = 1 - ops.abs(inside / self.step_size - 1)
        if self.mode == "triangular2":
            height = height * ops.power(0.5, cycle)
        elif self.mode == "exp_range":
            height = height * ops.power(self.gamma, step)
        return self.low + (self.high - self.low) * height

    def unit_cycle(self):
        """The shape of the cycles alone, for `MomentumCycle`.

        Returns:
            A `Cyclical` from 0 to 1, with the same steps and mode.
        """
        return type(self)(**{**self.get_config(), "low": 0.0, "high": 1.0})

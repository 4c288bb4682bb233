from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, positive_int
from keras_regopt.schedules._base import Schedule


@register
class REX(Schedule):
    """Holds the learning rate high for long and falls steeply at the end.

    With the progress `p = t / total_steps` the rate is
    `end_learning_rate + (initial_learning_rate - end_learning_rate) * (1 - p) /
    (1 - p / 2)`, a reflected exponential. Made for small budgets, where it does
    better than a line or a cosine.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        total_steps: Number of steps of the whole training, at least 1.
        end_learning_rate: The rate from step `total_steps` on, a number >= 0.
            Defaults to `0.0`.

    Examples:
        >>> schedule = REX(1.0, total_steps=100)
        >>> [round(float(schedule(step)), 4) for step in (0, 50, 100)]
        [1.0, 0.6667, 0.0]

    References:
        Chen, Wolfe and Kyrillidis 2022, REX: revisiting budgeted training with
        an improved schedule (arXiv 2107.04197).
    """

    def __init__(
        self,
        initial_learning_rate: float,
        total_steps: int,
        end_learning_rate: float = 0.0,
    ):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.total_steps = positive_int(self, "total_steps", total_steps)
        self.end_learning_rate = in_range(
            self, "end_learning_rate", end_learning_rate, low=0
        )

    def rate_at(self, step):
        # The difference first, so that the end is exact however it is compiled.
        left = ops.maximum(self.total_steps - step, 0) / self.total_steps
        fall = self.initial_learning_rate - self.end_learning_rate
        return self.end_learning_rate + fall * 2 * left / (1 + left)

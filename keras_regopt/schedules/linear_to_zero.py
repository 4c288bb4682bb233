from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range, positive_int
from keras_regopt.schedules._base import Schedule


@register
class LinearToZero(Schedule):
    """Falls in a straight line to zero at the end of the training.

    At step `t` the rate is `initial_learning_rate * (1 - t / total_steps)`, and
    zero from step `total_steps` on. With a known budget, and after a short
    `Warmup`, it is hard to beat: `Warmup(LinearToZero(1e-3, 10000), 500)`.

    Args:
        initial_learning_rate: The rate at step 0, a number >= 0.
        total_steps: Number of steps of the whole training, at least 1.

    Examples:
        >>> schedule = LinearToZero(1.0, total_steps=100)
        >>> [round(float(schedule(step)), 4) for step in (0, 25, 100, 101)]
        [1.0, 0.75, 0.0, 0.0]

    References:
        Bergsma et al. 2025, Straight to zero: why linearly decaying the
        learning rate to zero works best for LLMs (arXiv 2502.15938).
    """

    def __init__(self, initial_learning_rate: float, total_steps: int):
        self.initial_learning_rate = in_range(
            self, "initial_learning_rate", initial_learning_rate, low=0
        )
        self.total_steps = positive_int(self, "total_steps", total_steps)

    def rate_at(self, step):
        # The difference first, so that the end is zero however it is compiled.
        left = ops.maximum(self.total_steps - step, 0)
        return self.initial_learning_rate * left / self.total_steps

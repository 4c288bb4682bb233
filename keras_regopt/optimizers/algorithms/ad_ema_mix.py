import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range, positive_int
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    lerp,
    stepped_by,
)


@register
class AdEMAMix(Optimizer):
    """Adam with a second, slow average of the gradients.

    One average cannot weigh both the newest gradients and those of ten
    thousand steps ago. AdEMAMix keeps a fast one and a slow one and steps by

        learning_rate * (fast + alpha * slow) / (sqrt(velocity) + epsilon),

    with the fast average and the velocity as in Adam, and the slow one without
    correction of its bias, so that it comes in gently. Use it for long runs
    (tens of thousands of steps), where the authors reached the loss of `AdamW`
    with about half of the data; it keeps three numbers for each weight, Adam
    two. In runs of a few thousand steps lower `beta_3` to 0.999 or less, since
    half of its weight lies `0.69 / (1 - beta_3)` steps back.

    Over `alpha_warmup` steps the weight of the slow average grows linearly from
    zero, and over `beta_3_warmup` steps its memory, `1 / log(beta)`, from that
    of `beta_1`; the authors set both to the length of the training.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the fast average, in [0, 1). Defaults to `0.9`.
        beta_2: Decay of the average of the squared gradients, in [0, 1).
            Defaults to `0.999`.
        beta_3: Decay of the slow average, in (0, 1). Defaults to `0.9999`.
        alpha: Weight of the slow average, a number >= 0; the authors use 4 to
            10. Defaults to `5.0`.
        alpha_warmup: Steps over which `alpha` grows, at least 1, or `None` to
            use it at once. Defaults to `None`.
        beta_3_warmup: Steps over which the slow average slows down, at least 1,
            or `None` to use `beta_3` at once. Defaults to `None`.
        epsilon: Number > 0 that is added to the root of the average of the
            squared gradients. Defaults to `1e-7`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (decoupled), `clipnorm` and `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> optimizer = AdEMAMix(alpha_warmup=10_000, beta_3_warmup=10_000)
        >>> model.compile(optimizer, "mse")
        >>> model.optimizer.alpha
        5.0

    References:
        Pagliardini et al. 2024, The AdEMAMix optimizer: better, faster, older
        (arXiv 2409.03137), and the authors' code, apple/ml-ademamix.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        beta_3: float = 0.9999,
        alpha: float = 5.0,
        alpha_warmup: int | None = None,
        beta_3_warmup: int | None = None,
        epsilon: float = 1e-7,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.beta_3 = in_range(self, "beta_3", beta_3, above=0, below=1)
        self.alpha = in_range(self, "alpha", alpha, low=0)
        self.alpha_warmup = positive_int(
            self, "alpha_warmup", alpha_warmup, optional=True
        )
        self.beta_3_warmup = positive_int(
            self, "beta_3_warmup", beta_3_warmup, optional=True
        )
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum", "slow_momentum", "velocity")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return (
            1 / bias_correction(self.beta_1, step),
            self.alpha * _progress(step, self.alpha_warmup),
            self._slow_weight(_progress(step, self.beta_3_warmup)),
            ops.rsqrt(bias_correction(self.beta_2, step)),
        )

    def formula(self, variable, gradient, slots, step):
        momentum, slow, velocity = slots
        fast_scale, slow_scale, slow_weight, root = step.values
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        slow = lerp(slow, gradient, slow_weight)
        velocity = lerp(velocity, ops.square(gradient), 1 - self.beta_2)
        mixture = momentum * fast_scale + slow * slow_scale
        divisor = ops.sqrt(velocity) * root + self.epsilon
        variable = stepped_by(variable, step.rate, mixture, divisor)
        return variable, [momentum, slow, velocity]

    def _slow_weight(self, progress):
        """One minus the decay of the slow average, without cancellation."""
        start = 1 / math.log(self.beta_1) if self.beta_1 > 0 else 0.0
        end = 1 / math.log(self.beta_3)
        return -ops.expm1(1 / (start + (end - start) * progress))


def _progress(step, warmup):
    """The fraction of a warm-up that is over, from 0 to 1."""
    if warmup is None:
        return ops.ones_like(step)
    return ops.minimum(step / warmup, 1.0)

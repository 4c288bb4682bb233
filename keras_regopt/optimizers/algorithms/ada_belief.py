from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import (
    adam_corrections,
    lerp,
    stepped_by,
)


@register
class AdaBelief(Optimizer):
    """Adam that divides by how much a gradient differs from its average.

    Where gradients keep coming as expected, the step is long; where they
    surprise, it is short. Use it where Adam is fast but generalizes worse than
    SGD. With the gradient `g`,

        m = beta_1 m + (1 - beta_1) g
        s = beta_2 s + (1 - beta_2) (g - m) ** 2 + epsilon
        w = w - learning_rate * m' / (sqrt(s') + epsilon),

    where `m' = m / (1 - beta_1 ** t)` and `s' = s / (1 - beta_2 ** t)` at step
    `t`. A gradient that hardly changes makes very long steps; a larger
    `epsilon` (`1e-8`) bounds them.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of `s`, the average of the squared differences, in (0, 1).
            Defaults to `0.999`.
        epsilon: Number > 0 that is added to `s` at each step, and to its root.
            Defaults to `1e-16`, the paper's and optax' value.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (decoupled), `clipnorm` and `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(AdaBelief(0.01, weight_decay=1e-4), "mse")
        >>> model.optimizer.name
        'ada_belief'

    References:
        Zhuang et al. 2020, AdaBelief optimizer: adapting stepsizes by the
        belief in observed gradients, algorithm 2 (arXiv 2010.07468).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-16,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum", "variance")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return adam_corrections(self.beta_1, self.beta_2, self.epsilon, step)

    def formula(self, variable, gradient, slots, step):
        momentum, variance = slots
        scale, epsilon = step.values
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        square = ops.square(gradient - momentum)
        variance = lerp(variance, square, 1 - self.beta_2) + self.epsilon
        divisor = ops.sqrt(variance) + epsilon
        variable = stepped_by(variable, step.rate * scale, momentum, divisor)
        return variable, [momentum, variance]

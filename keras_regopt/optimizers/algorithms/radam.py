from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._rectification import rectification
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    lerp,
)


@register
class RAdam(Optimizer):
    """Adam whose adaptive step is rectified while its variance is unknown.

    In the first steps Adam divides by an average of few squared gradients,
    which varies wildly; warm-up of the learning rate is the usual cure. RAdam
    knows this variance in closed form: as long as it is unbounded (the first
    five steps with the defaults) it makes a plain momentum step, afterwards it
    scales Adam's step by the rectification

        r = sqrt((p - 4) (p - 2) P / ((P - 4) (P - 2) p)),

    where `P = 2 / (1 - beta_2) - 1` and
    `p = P - 2 t beta_2 ** t / (1 - beta_2 ** t)` at step `t`. Use it where Adam
    needs a warm-up that you do not want to tune.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in (0, 1).
            Defaults to `0.999`.
        epsilon: Number > 0 that is added to the root of the average of the
            squared gradients, before the correction of its bias, as in Keras'
            `Adam` and the authors' code. Defaults to `1e-7`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (decoupled), `clipnorm` and `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(RAdam(learning_rate=0.01, weight_decay=1e-4), "mse")
        >>> model.optimizer.name
        'r_adam'

    References:
        Liu et al. 2020, On the variance of the adaptive learning rate and
        beyond, algorithm 2 (arXiv 1908.03265).
    """

    search_space = {"learning_rate": Range(1e-5, 1e-1, log=True)}

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum", "velocity")]

    def step_values(self, gradients, variables, learning_rate):
        # Factors on the rate of a momentum and an adaptive step; one is zero.
        step = ops.cast(self.iterations + 1, "float32")
        correction = 1 / bias_correction(self.beta_1, step)
        root = ops.sqrt(bias_correction(self.beta_2, step))
        factor = rectification(self.beta_2, step, least=5)
        return (
            ops.where(factor > 0, 0.0, correction),
            correction * factor * root,
        )

    def formula(self, variable, gradient, slots, step):
        momentum, velocity = slots
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        velocity = lerp(velocity, ops.square(gradient), 1 - self.beta_2)
        constant, adaptive = (step.rate * size for size in step.values)
        divisor = ops.sqrt(velocity) + self.epsilon
        move = momentum * (adaptive / divisor + constant)
        return variable - move, [momentum, velocity]

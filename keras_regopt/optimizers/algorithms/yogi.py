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
class Yogi(Optimizer):
    """Adam whose squared-gradient average changes by bounded amounts.

    Adam forgets large gradients within a few hundred steps of small ones, and
    then its steps grow quickly. In Yogi the average moves by the squared
    gradient alone, whatever the distance, so the steps grow slowly. Use it
    where gradients are sparse or rare events matter. With the gradient `g`,

        m = beta_1 m + (1 - beta_1) g
        v = v - (1 - beta_2) sign(v - g ** 2) g ** 2
        w = w - learning_rate * m' / (sqrt(v') + epsilon),

    where `m' = m / (1 - beta_1 ** t)` and `v' = v / (1 - beta_2 ** t)` at step
    `t`, as in optax; the paper's algorithm does without these corrections. `m`
    starts at zero, as in the paper. (optax starts it at
    `initial_accumulator_value` too, which moves weights without a gradient.)

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.01`, as the paper advises.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in (0, 1).
            Defaults to `0.999`.
        epsilon: Number > 0 that is added to the root of `v'`. Defaults to
            `0.001`, which is not small: it makes the method less adaptive.
        initial_accumulator_value: Number >= 0 at which `v` starts. Defaults to
            `1e-6`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (decoupled), `clipnorm` and `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Yogi(learning_rate=0.01, clipnorm=1.0), "mse")
        >>> model.optimizer.name
        'yogi'

    References:
        Zaheer et al. 2018, Adaptive methods for nonconvex optimization,
        algorithm 2 (NeurIPS 2018).
    """

    initial_values = {"velocity": "initial_accumulator_value"}

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-3,
        initial_accumulator_value: float = 1e-6,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.initial_accumulator_value = in_range(
            self, "initial_accumulator_value", initial_accumulator_value, low=0
        )

    def slot_names(self):
        return [("momentum", "velocity")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return adam_corrections(self.beta_1, self.beta_2, self.epsilon, step)

    def formula(self, variable, gradient, slots, step):
        momentum, velocity = slots
        scale, epsilon = step.values
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        square = ops.square(gradient)
        change = ops.sign(velocity - square) * square
        velocity = velocity - change * (1 - self.beta_2)
        divisor = ops.sqrt(velocity) + epsilon
        variable = stepped_by(variable, step.rate * scale, momentum, divisor)
        return variable, [momentum, velocity]

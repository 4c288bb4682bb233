from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    lerp,
    stepped_by,
)


@register
class Adamax(DropIn):
    """Adam with a decaying maximum of the gradients in the divisor, faster.

    Makes the steps of `keras.optimizers.Adamax` and reads and writes its files.
    A step is

        m = beta_1 m + (1 - beta_1) g,    u = max(beta_2 u, abs(g)),
        w = w - rate / (1 - beta_1 ** t) m / (u + epsilon).

    An entry of rare large gradients keeps small steps for long. Use it where
    you would use Keras' own.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the maximum, in [0, 1). Defaults to `0.999`.
        epsilon: Number >= 0 that is added to the maximum. Defaults to `1e-7`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Adamax(0.002), "mse")
        >>> model.optimizer.name
        'adamax'

    References:
        Kingma and Ba 2015, Adam, section 7.1 (arXiv 1412.6980);
        `keras/src/optimizers/adamax.py`.
    """

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
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, low=0)

    def slot_names(self):
        return [("momentum", "norm")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return 1 / bias_correction(self.beta_1, step)

    def formula(self, variable, gradient, slots, step):
        momentum, largest = slots
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        largest = ops.maximum(largest * self.beta_2, ops.abs(gradient))
        rate = step.rate * step.values
        value = stepped_by(variable, rate, momentum, largest + self.epsilon)
        return value, [momentum, largest]

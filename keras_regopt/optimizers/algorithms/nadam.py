from keras import ops

from keras_regopt._precision import at_least_float32
from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    lerp,
    stepped_by,
)

# How fast the momentum approaches `beta_1`, as the author proposes.
_WARM_UP = 0.96


@register
class Nadam(DropIn):
    """Adam with Nesterov momentum, faster.

    Makes the steps of `keras.optimizers.Nadam` and reads and writes its files.
    With `u_t = beta_1 (1 - 0.96 ** t / 2)` and `U_t` the product of `u_1` to
    `u_t`, a step is

        m = beta_1 m + (1 - beta_1) g,    v = beta_2 v + (1 - beta_2) g ** 2,
        w = w - rate (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t))
                / (sqrt(v / (1 - beta_2 ** t)) + epsilon).

    Use it where you would use Keras' own.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in [0, 1).
            Defaults to `0.999`.
        epsilon: Number >= 0 that is added to the root. Defaults to `1e-7`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Nadam(0.001), "mse")
        >>> model.optimizer.name
        'nadam'

    References:
        Dozat 2015, Incorporating Nesterov momentum into Adam;
        `keras/src/optimizers/nadam.py`.
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
        return [("momentum", "velocity")]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._u_product = self.add_variable(
            shape=(),
            initializer="ones",
            dtype=at_least_float32(variables[0].dtype) if variables else None,
            aggregation="only_first_replica",
            name="u_product",
        )

    def step_values(self, gradients, variables, learning_rate):
        dtype = self._u_product.dtype
        step = ops.cast(self.iterations + 1, dtype)
        now, ahead = (
            self.beta_1 * (1 - 0.5 * ops.power(ops.cast(_WARM_UP, dtype), t))
            for t in (step, step + 1)
        )
        product = ops.convert_to_tensor(self._u_product) * now
        self._u_product.assign(product)
        return (
            ahead / (1 - product * ahead),
            (1 - now) / (1 - product),
            1 / ops.sqrt(bias_correction(self.beta_2, step)),
        )

    def formula(self, variable, gradient, slots, step):
        momentum, velocity = slots
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        velocity = lerp(velocity, ops.square(gradient), 1 - self.beta_2)
        of_momentum, of_gradient, correction = step.values
        ahead = momentum * of_momentum + gradient * of_gradient
        divisor = ops.sqrt(velocity) * correction + self.epsilon
        value = stepped_by(variable, step.rate, ahead, divisor)
        return value, [momentum, velocity]

import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.optimizers._base import Optimizer


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

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(RAdam(learning_rate=0.01, weight_decay=1e-4), "mse")
        >>> model.optimizer.name
        'r_adam'

    References:
        Liu et al. 2020, On the variance of the adaptive learning rate and
        beyond, algorithm 2 (arXiv 1908.03265).
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, above=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums, self.velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def step_values(self, gradients, variables, learning_rate):
        return self._step_sizes()

    def update_step(self, gradient, variable, learning_rate, step_sizes):
        index = self._get_variable_index(variable)
        momentum, velocity = self.momentums[index], self.velocities[index]
        gradient = ops.cast(gradient, variable.dtype)

        self.assign_add(momentum, (gradient - momentum) * (1 - self.beta_1))
        self.assign_add(
            velocity, (ops.square(gradient) - velocity) * (1 - self.beta_2)
        )
        rate = ops.cast(learning_rate, "float32")
        plain, adaptive = (
            ops.cast(rate * size, variable.dtype) for size in step_sizes
        )
        divisor = ops.sqrt(velocity) + self.epsilon
        self.assign_sub(variable, momentum * (plain + adaptive / divisor))

    def _step_sizes(self):
        """Factors on the rate of a plain and of an adaptive step; one is zero.

        In float32, since powers of `beta_2` vanish in half precision.
        """
        step = ops.cast(self.iterations + 1, "float32")
        length = _length(self.beta_2, step)
        length_limit = (1 + self.beta_2) / (1 - self.beta_2)
        tractable = length > 5
        # Where the variance is intractable, keeps the root's argument positive.
        length = ops.where(tractable, length, 5.0)
        rectification = ops.sqrt(
            (length - 4)
            * (length - 2)
            * length_limit
            / ((length_limit - 4) * (length_limit - 2) * length)
        )
        correction = 1.0
        if self.beta_1 > 0:
            correction = 1 / -ops.expm1(math.log(self.beta_1) * step)
        bias_correction = ops.sqrt(-ops.expm1(math.log(self.beta_2) * step))
        return (
            ops.where(tractable, 0.0, correction),
            ops.where(
                tractable, correction * rectification * bias_correction, 0.0
            ),
        )


def _length(beta, step):
    """The paper's length of the approximated simple moving average.

    The paper's `2 / (1 - beta) - 1 - 2 t beta ** t / (1 - beta ** t)` loses all
    digits of a float32 in the first steps. With `h = -log(beta)` and the
    Langevin function `L(x) = coth(x) - 1 / x` it equals
    `t - t L(h t / 2) + L(h / 2)`; the series of `L` is good below 1/2.
    """
    decay = -math.log(beta)
    x = decay * step / 2
    early = step * (1 - x / 3 + x**3 / 45 - x**5 * 2 / 945 + x**7 / 4725)
    late = 2 / decay - 2 * step / ops.expm1(2 * ops.maximum(x, 0.25))
    shift = 1 / math.tanh(decay / 2) - 2 / decay
    return ops.where(x < 0.5, early, late) + shift

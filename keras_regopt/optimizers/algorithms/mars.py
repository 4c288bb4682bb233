from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range, one_of
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    lerp,
    stepped_by,
)


@register
class MARS(Optimizer):
    """AdamW or Lion on gradients whose variance is reduced.

    A fraction of the change since the last gradient is added to each gradient,

        c = g + gamma * beta_1 / (1 - beta_1) * (g - g_last),

    which cancels the noise that both have in common; `c`, scaled down to norm 1
    where it is longer (for each variable by itself), then replaces the gradient
    in the averages of `AdamW`, or of `Lion`. Use it for long runs with small
    batches, where noise limits the rate. This is the approximate form, with one
    gradient a step; the exact one would compute each batch's gradient twice.

    Biases, scales and other variables with less than two axes are trained by
    plain AdamW with decays of their own. A `ParameterGroup` gives them another
    learning rate or weight decay; in the authors' code they have 0.1.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. With `variant="lion"`, about a tenth of what
            suits `"adamw"`. Defaults to `0.003`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.95`.
        beta_2: Decay of the average of the squared gradients, in [0, 1).
            Defaults to `0.99`.
        gamma: Strength of the correction, a number >= 0; `0` leaves AdamW with
            clipped gradients. Defaults to `0.025`.
        variant: `"adamw"`, or `"lion"` to step by the sign of the average, with
            no squared gradients. Defaults to `"adamw"`.
        optimize_1d: Whether variables with less than two axes take part.
            Defaults to `False`.
        beta_1_1d: As `beta_1`, for those that do not. Defaults to `0.9`.
        beta_2_1d: As `beta_2`, for those that do not. Defaults to `0.95`.
        epsilon: Number > 0 that is added to the root of the average of the
            squared gradients. Defaults to `1e-7`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (decoupled), `clipnorm` and `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(MARS(learning_rate=0.001, weight_decay=0.1), "mse")
        >>> model.optimizer.variant
        'adamw'

    References:
        Yuan et al. 2024, MARS: unleashing the power of variance reduction for
        training large models (arXiv 2411.10438), and the authors' code,
        AGI-Arena/MARS, which is followed where it differs from the paper: at
        the first step, `g_last` is zero. Kernels of convolutions count as
        matrices, as in pytorch_optimizer.
    """

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.003,
        beta_1: float = 0.95,
        beta_2: float = 0.99,
        gamma: float = 0.025,
        variant: str = "adamw",
        optimize_1d: bool = False,
        beta_1_1d: float = 0.9,
        beta_2_1d: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.gamma = in_range(self, "gamma", gamma, low=0)
        self.variant = one_of(self, "variant", variant, ("adamw", "lion"))
        self.optimize_1d = boolean(self, "optimize_1d", optimize_1d)
        self.beta_1_1d = in_range(self, "beta_1_1d", beta_1_1d, low=0, below=1)
        self.beta_2_1d = in_range(self, "beta_2_1d", beta_2_1d, low=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum",), ("velocity",), ("last_gradient",)]

    def has_slot(self, name, variable):
        takes_part = self.optimize_1d or len(variable.shape) >= 2
        if name == "velocity":
            # Lion needs no average of the squares.
            return self.variant != "lion" or not takes_part
        return takes_part or name == "momentum"

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return {
            decays: (
                1 / bias_correction(beta_1, step),
                ops.rsqrt(bias_correction(beta_2, step)),
            )
            for decays, beta_1, beta_2 in (
                ("matrix", self.beta_1, self.beta_2),
                ("vector", self.beta_1_1d, self.beta_2_1d),
            )
        }

    def formula(self, variable, gradient, slots, step):
        momentum, velocity, last = slots
        if last is None:
            beta_1, beta_2 = self.beta_1_1d, self.beta_2_1d
            scale, root = step.values["vector"]
            corrected = gradient
        else:
            beta_1, beta_2 = self.beta_1, self.beta_2
            scale, root = step.values["matrix"]
            corrected = self._corrected(gradient, last, step)
            last = gradient

        momentum = lerp(momentum, corrected, 1 - beta_1)
        if velocity is None:
            variable = variable - ops.sign(momentum) * step.rate
        else:
            velocity = lerp(velocity, ops.square(corrected), 1 - beta_2)
            divisor = ops.sqrt(velocity) * root + self.epsilon
            rate = step.rate * scale
            variable = stepped_by(variable, rate, momentum, divisor)
        return variable, [momentum, velocity, last]

    def _corrected(self, gradient, last, step):
        strength = self.gamma * self.beta_1 / (1 - self.beta_1)
        corrected = gradient + (gradient - last) * strength
        length = ops.cast(step.norm(corrected), corrected.dtype)
        return corrected / ops.maximum(length, 1.0)

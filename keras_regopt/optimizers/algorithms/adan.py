from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._numerics import (
    bias_correction,
    lerp,
    stepped_by,
)


@register
class Adan(Optimizer):
    """Adam with Nesterov momentum, from the differences of the gradients.

    Where Nesterov's method takes the gradient at a point ahead, Adan predicts
    it: by the present gradient and its change since the last step. It keeps
    three averages, all corrected for their bias,

        m = beta_1 * m + (1 - beta_1) * g
        d = beta_2 * d + (1 - beta_2) * (g - g_last)
        n = beta_3 * n + (1 - beta_3) * (g + beta_2 * (g - g_last)) ** 2,

    and steps by `learning_rate * (m + beta_2 * d) / (sqrt(n) + epsilon)`. Use
    it where many epochs are too dear: it takes larger learning rates than
    `Adam` (5 to 10 times, say its authors) and reached the same accuracy in
    about half of the epochs on vision transformers. It keeps four numbers for
    each weight, Adam two.

    Weight decay is proximal, as in the paper: after its step, a weight is
    divided by `1 + learning_rate * weight_decay`.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.98`.
        beta_2: Decay of the average of the differences, in [0, 1), and their
            weight in the step. Defaults to `0.92`.
        beta_3: Decay of the average of the squares, in [0, 1). Defaults to
            `0.99`.
        epsilon: Number > 0 that is added to the root of the average of the
            squares. Defaults to `1e-7`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`,
            `clipnorm` and `gradient_accumulation_steps`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Adan(learning_rate=0.01, weight_decay=0.02), "mse")
        >>> model.optimizer.beta_3
        0.99

    References:
        Xie et al. 2022, Adan: adaptive Nesterov momentum algorithm for faster
        optimizing deep models, algorithm 1 (arXiv 2208.06677; the paper's
        betas are one minus these), and the authors' code, sail-sg/Adan.
        `optax.adan` weights the differences by `1 - beta_2` instead.
    """

    decays_itself = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.98,
        beta_2: float = 0.92,
        beta_3: float = 0.99,
        epsilon: float = 1e-7,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.beta_3 = in_range(self, "beta_3", beta_3, low=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum", "difference", "velocity", "last_gradient")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return (
            1 / bias_correction(self.beta_1, step),
            self.beta_2 / bias_correction(self.beta_2, step),
            ops.rsqrt(bias_correction(self.beta_3, step)),
            # There is no difference before the second gradient.
            ops.cast(self.iterations > 0, "float32"),
        )

    def formula(self, variable, gradient, slots, step):
        momentum, average, velocity, last = slots
        of_momentum, of_difference, root, later = step.values
        difference = gradient - last
        predicted = gradient + difference * (self.beta_2 * later)
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        average = lerp(average, difference, (1 - self.beta_2) * later)
        velocity = lerp(velocity, ops.square(predicted), 1 - self.beta_3)
        mixture = momentum * of_momentum + average * of_difference
        divisor = ops.sqrt(velocity) * root + self.epsilon
        variable = stepped_by(variable, step.rate, mixture, divisor)
        if step.decay:
            # The decay comes after the step.
            variable = variable * (1 / (1 + step.rate * step.decay))
        return variable, [momentum, average, velocity, gradient]

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._base import Optimizer


@register
class ADOPT(Optimizer):
    """Adam in another order, which converges whatever `beta_2` is.

    Adam divides an average of gradients by a root that knows the newest of
    them; this is why it fails to converge on some problems unless `beta_2` is
    tuned. ADOPT divides each gradient by the root that the *former* gradients
    give, and averages afterwards:

        u = clip(g / max(sqrt(v), epsilon), -t ** clip, t ** clip)
        m = beta_1 * m + (1 - beta_1) * u
        w = w - learning_rate * m
        v = beta_2 * v + (1 - beta_2) * g ** 2,

    where the first gradient only gives `v = g ** 2` and `t` counts the steps
    after it. Use it in place of `Adam` where gradients are rare or noisy and
    the loss is unstable. The state is as large as Adam's. The step that only
    looks at the gradient does not decay the weights either.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the scaled gradients, in [0, 1).
            Defaults to `0.9`.
        beta_2: Decay of the average of the squared gradients, in [0, 1).
            Defaults to `0.9999`.
        epsilon: Smallest root that is divided by, a number > 0. Defaults to
            `1e-6`.
        clip: Exponent of the bound on a scaled gradient, a number >= 0, which
            keeps weights whose first gradient was close to zero from a leap;
            `None` for the first version of the paper, without a bound.
            Defaults to `0.25`.
        **kwargs: Keras' arguments of every optimizer, such as `weight_decay`
            (decoupled), `clipnorm` and `gradient_accumulation_steps`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(ADOPT(learning_rate=0.01, clip=None), "mse")
        >>> model.optimizer.beta_2
        0.9999

    References:
        Taniguchi et al. 2024, ADOPT: modified Adam can converge with any beta_2
        with the optimal rate (arXiv 2411.02853), and the authors' code,
        iShohei220/adopt, with `decouple=True`.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.9999,
        epsilon: float = 1e-6,
        clip: float | None = 0.25,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)
        self.clip = in_range(self, "clip", clip, low=0, optional=True)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums, self.velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations, "float32")
        first = step < 1
        bound = float("inf") if self.clip is None else step**self.clip
        return (
            # A bound of zero leaves the momentum, and so the weights, at rest.
            ops.where(first, 0.0, bound),
            ops.where(first, 1.0, 1 - self.beta_2),
            ops.where(first, 0.0, 1.0),
        )

    def decay_step(self, variable, learning_rate):
        # The decay is part of the step.
        return

    def update_step(self, gradient, variable, learning_rate, values):
        index = self._get_variable_index(variable)
        momentum, velocity = self.momentums[index], self.velocities[index]
        gradient = ops.cast(gradient, variable.dtype)
        rate = ops.cast(learning_rate, "float32")
        bound, weight, later = values
        rate, bound, weight, shrinkage = (
            ops.cast(scalar, variable.dtype)
            for scalar in (
                rate,
                bound,
                weight,
                rate * later * self.decay_of(variable),
            )
        )

        scaled = gradient / ops.maximum(ops.sqrt(velocity), self.epsilon)
        scaled = ops.clip(scaled, -bound, bound)
        self.assign_add(momentum, (scaled - momentum) * (1 - self.beta_1))
        self.assign_add(velocity, (ops.square(gradient) - velocity) * weight)
        step = momentum * rate
        if self.decay_of(variable):
            step = step + variable * shrinkage
        self.assign_sub(variable, step)

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._base import Optimizer
from keras_regopt.optimizers.engine._in_place import after_reads
from keras_regopt.optimizers.engine._numerics import lerp


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
    after it. Use it instead of `Adam` where gradients are rare or noisy and
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

    decays_itself = True

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

    def slot_names(self):
        return [("momentum", "velocity")]

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations, "float32")
        first = step < 1
        bound = float("inf") if self.clip is None else step**self.clip
        return (
            # A bound of zero leaves the momentum and the weights unchanged.
            ops.where(first, 0.0, bound),
            ops.where(first, 1.0, 1 - self.beta_2),
            ops.where(first, 0.0, 1.0),
        )

    def formula(self, variable, gradient, slots, step):
        momentum, velocity = slots
        bound, weight, later = step.values
        scaled = gradient / ops.maximum(ops.sqrt(velocity), self.epsilon)
        scaled = ops.clip(scaled, -bound, bound)
        momentum = lerp(momentum, scaled, 1 - self.beta_1)
        # Of the velocity as it was.
        weight = after_reads(weight, momentum)
        velocity = lerp(velocity, ops.square(gradient), weight)
        move = momentum * step.rate
        if step.decay:
            move = move + variable * (step.rate * later * step.decay)
        return variable - move, [momentum, velocity]

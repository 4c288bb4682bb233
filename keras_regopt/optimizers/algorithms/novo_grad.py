from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.engine._base import Optimizer


@register
class NovoGrad(Optimizer):
    """SGD with momentum on gradients that are normalized layer by layer.

    Each variable has one second moment, the average of the squared norm of its
    gradient, so that NovoGrad needs the memory of SGD with momentum and its
    steps do not depend on the scale of the loss. It takes large batches and
    large learning rates without warm-up, and is common in speech recognition.
    With the gradient `g` of a variable `w`,

        v = beta_2 v + (1 - beta_2) |g| ** 2
        m = beta_1 m + g / (sqrt(v) + epsilon) + weight_decay * w
        w = w - learning_rate * m,

    where `v` begins with the first `|g| ** 2` that is not zero. The gradient
    enters `m` undamped: at the same rate, steps are `1 / (1 - beta_1)` times as
    long as they would be with Adam's average.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the momentum, in [0, 1). Defaults to `0.9`.
        beta_2: Decay of the average of the squared norms, in [0, 1). Defaults
            to `0.25`, as in optax; `0.95` and `0.98` for the two decays are
            common, too.
        epsilon: Number > 0 that is added to the root of the average. Defaults
            to `1e-6`.
        **kwargs: Keras' arguments of every optimizer, such as `clipnorm` and
            `gradient_accumulation_steps`. `weight_decay` enters the momentum,
            as in the formula above.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(NovoGrad(0.01, weight_decay=0.001), "mse")
        >>> model.optimizer.name
        'novo_grad'

    References:
        Ginsburg et al. 2019, Stochastic gradient methods with layer-wise
        adaptive moments for training of deep networks, algorithm 1
        (arXiv 1905.11286).
    """

    decays_itself = True

    in_rows = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.25,
        epsilon: float = 1e-6,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, above=0)

    def slot_names(self):
        return [("momentum",)]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # One number for each variable.
        self.velocity = self.add_variable(
            shape=(len(variables),),
            dtype="float32",
            aggregation="only_first_replica",
            name="velocity",
        )

    def step_values(self, gradients, variables, learning_rate):
        """The factors on the gradients, in the order of the variables."""
        velocity = ops.convert_to_tensor(self.velocity)
        (squares,) = self.totals(_square, gradients, variables)
        following = ops.where(
            velocity > 0,
            velocity * self.beta_2 + squares * (1 - self.beta_2),
            squares,
        )
        # An average stays as it is where there is no gradient.
        velocity = ops.where(self.among(variables), following, velocity)
        self.velocity.assign(velocity)
        return 1 / (ops.sqrt(velocity) + self.epsilon)

    def formula(self, variable, gradient, slots, step):
        momentum = slots[0] * self.beta_1 + gradient * step.own(step.values)
        if step.decay:
            momentum = momentum + variable * step.decay
        return variable - momentum * step.rate, [momentum]


def _square(variable, gradient, slots, step):
    return [ops.square(gradient)]

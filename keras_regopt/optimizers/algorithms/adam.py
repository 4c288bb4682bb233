from keras import ops

from keras_regopt._precision import at_least_float32
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine import _torch_fused
from keras_regopt.optimizers.engine._numerics import lerp, stepped_by


@register
class Adam(DropIn):
    """Averages of the gradient and of its square, bias corrected, faster.

    Makes the steps of `keras.optimizers.Adam` and reads and writes its files. A
    step is

        m = beta_1 m + (1 - beta_1) g,    v = beta_2 v + (1 - beta_2) g ** 2,
        w = w - rate c m / (sqrt(v) + epsilon),

    where `c = sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)` at step `t`. With
    `amsgrad`, `v` is replaced by the largest that there was. Use it where you
    would use Keras' own. Variables in half precision differ from Keras', which
    computes `c` in half precision, where it is zero or far off.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Decay of the average of the gradients, in [0, 1). Defaults to
            `0.9`.
        beta_2: Decay of the average of the squared gradients, in [0, 1).
            Defaults to `0.999`.
        epsilon: Number >= 0 that is added to the root, before the correction
            of its bias. Defaults to `1e-7`.
        amsgrad: Whether the average of the squares may only grow. Defaults to
            `False`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Adam(0.001, l2=1e-4, exclude="bias"), "mse")
        >>> model.optimizer.name
        'adam'

    References:
        Kingma and Ba 2015, Adam (arXiv 1412.6980); Reddi et al. 2018, On the
        convergence of Adam and beyond; `keras/src/optimizers/adam.py`.
    """

    torch_step = _torch_fused.adam

    search_space = {"learning_rate": Range(1e-5, 1e-1, log=True)}

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = in_range(self, "beta_1", beta_1, low=0, below=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, below=1)
        self.epsilon = in_range(self, "epsilon", epsilon, low=0)
        self.amsgrad = boolean(self, "amsgrad", amsgrad)

    def slot_names(self):
        names = [("momentum", "velocity")]
        return [*names, ("velocity_hat",)] if self.amsgrad else names

    def step_values(self, gradients, variables, learning_rate):
        # In the precision of Keras, so that the numbers are the same.
        dtype = at_least_float32(*(v.dtype for v in variables))
        step = ops.cast(self.iterations + 1, dtype)
        power_1, power_2 = (
            ops.power(ops.cast(beta, dtype), step)
            for beta in (self.beta_1, self.beta_2)
        )
        return ops.sqrt(1 - power_2) / (1 - power_1)

    def formula(self, variable, gradient, slots, step):
        momentum, velocity, *largest = slots
        momentum = lerp(momentum, gradient, 1 - self.beta_1)
        velocity = lerp(velocity, ops.square(gradient), 1 - self.beta_2)
        slots = [momentum, velocity]
        if self.amsgrad:
            slots.append(ops.maximum(largest[0], velocity))
        divisor = ops.sqrt(slots[-1]) + self.epsilon
        rate = step.rate * step.values
        return stepped_by(variable, rate, momentum, divisor), slots

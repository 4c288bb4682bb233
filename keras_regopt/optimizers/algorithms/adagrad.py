from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine._numerics import stepped_by


@register
class Adagrad(DropIn):
    """Steps divided by the root of the sum of all squared gradients, faster.

    Makes the steps of `keras.optimizers.Adagrad` and reads and writes its
    files. A step is

        a = a + g ** 2,    w = w - rate g / sqrt(a + epsilon).

    Rare features keep a large step, as those of sparse data. Use it where you
    would use Keras' own.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        initial_accumulator_value: Number >= 0 at which the sums begin. Defaults
            to `0.1`.
        epsilon: Number >= 0 under the root. Defaults to `1e-7`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Adagrad(0.01), "mse")
        >>> model.optimizer.name
        'adagrad'

    References:
        Duchi et al. 2011, Adaptive subgradient methods for online learning and
        stochastic optimization; `keras/src/optimizers/adagrad.py`.
    """

    initial_values = {"accumulator": "initial_accumulator_value"}

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = in_range(
            self, "initial_accumulator_value", initial_accumulator_value, low=0
        )
        self.epsilon = in_range(self, "epsilon", epsilon, low=0)

    def slot_names(self):
        return [("accumulator",)]

    def formula(self, variable, gradient, slots, step):
        accumulator = slots[0] + ops.square(gradient)
        divisor = ops.sqrt(accumulator + self.epsilon)
        return stepped_by(variable, step.rate, gradient, divisor), [accumulator]

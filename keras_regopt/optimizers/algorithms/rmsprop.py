from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine._numerics import lerp, stepped_by


@register
class RMSprop(DropIn):
    """Steps divided by the root mean square of past gradients, faster.

    Makes the steps of `keras.optimizers.RMSprop` and reads and writes its
    files. A step is

        v = rho v + (1 - rho) g ** 2,    w = w - rate g / sqrt(v + epsilon);

    `centered` subtracts the square of the average gradient from `v` under the
    root, and with `momentum` the steps are summed: `m = momentum m + step`. Use
    it where you would use Keras' own.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        rho: Decay of the averages, in [0, 1). Defaults to `0.9`.
        momentum: Number in [0, 1]. Defaults to `0.0`.
        epsilon: Number >= 0 under the root. Defaults to `1e-7`.
        centered: Whether to divide by the estimated standard deviation.
            Defaults to `False`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(RMSprop(0.001, momentum=0.9), "mse")
        >>> model.optimizer.name
        'rm_sprop'

    References:
        Tieleman and Hinton 2012, lecture 6.5; Graves 2013 (arXiv 1308.0850);
        `keras/src/optimizers/rmsprop.py`.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho = in_range(self, "rho", rho, low=0, below=1)
        self.momentum = in_range(self, "momentum", momentum, low=0, high=1)
        self.epsilon = in_range(self, "epsilon", epsilon, low=0)
        self.centered = boolean(self, "centered", centered)

    def slot_names(self):
        names = [("velocity",)]
        if self.momentum:
            names.append(("momentum",))
        if self.centered:
            names.append(("average_gradient",))
        return names

    def formula(self, variable, gradient, slots, step):
        velocity = lerp(slots[0], ops.square(gradient), 1 - self.rho)
        slots = [velocity, *slots[1:]]
        divisor = velocity + self.epsilon
        if self.centered:
            slots[-1] = lerp(slots[-1], gradient, 1 - self.rho)
            divisor = velocity - ops.square(slots[-1]) + self.epsilon
        divisor = ops.sqrt(divisor)
        if not self.momentum:
            return stepped_by(variable, step.rate, gradient, divisor), slots
        slots[1] = stepped_by(
            slots[1] * self.momentum, -step.rate, gradient, divisor
        )
        return variable - slots[1], slots

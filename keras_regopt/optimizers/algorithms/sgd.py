from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine import _torch_fused


@register
class SGD(DropIn):
    """Gradient descent, with momentum or Nesterov momentum: Keras', faster.

    Makes the steps of `keras.optimizers.SGD` and reads and writes its files. A
    step is

        m = momentum m - rate g,    w = w + m,

    with `nesterov` `w = w + momentum m - rate g`, and without momentum
    `w = w - rate g`. Use it where you would use Keras' own.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.01`.
        momentum: Number in [0, 1]. Defaults to `0.0`.
        nesterov: Whether the momentum is applied ahead. Defaults to `False`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> optimizer = SGD(0.01, momentum=0.9, l2=1e-4, exclude="bias")
        >>> model.compile(optimizer, "mse")
        >>> model.optimizer.name
        'sgd'

    References:
        Sutskever et al. 2013, On the importance of initialization and momentum
        in deep learning; `keras/src/optimizers/sgd.py`.
    """

    torch_step = _torch_fused.sgd

    search_space = {
        "learning_rate": Range(1e-4, 1.0, log=True),
        "momentum": Range(0.0, 0.99),
    }

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.momentum = _checked_momentum(momentum)
        self.nesterov = boolean(self, "nesterov", nesterov)

    def slot_names(self):
        return [("momentum",)] if self.momentum else []

    def update_step(self, gradient, variable, learning_rate, *shared):
        extras = self.momentum or self.l1 or self.l2 or self.lazy
        if not extras and not self.decay_of(variable):
            # Two operations, where the general step takes some more.
            rate = ops.cast(learning_rate, variable.dtype)
            gradient = ops.cast(gradient, variable.dtype)
            self.assign_sub(variable, gradient * rate)
        else:
            super().update_step(gradient, variable, learning_rate, *shared)

    def formula(self, variable, gradient, slots, step):
        if not self.momentum:
            return variable - gradient * step.rate, []
        move = gradient * step.rate
        momentum = slots[0] * self.momentum - move
        if self.nesterov:
            return variable + (momentum * self.momentum - move), [momentum]
        return variable + momentum, [momentum]


def _checked_momentum(momentum):
    good = (
        isinstance(momentum, (int, float))
        and not isinstance(momentum, bool)
        and 0 <= momentum <= 1
    )
    if not good:
        # In the words of Keras, whose tests look for them.
        raise ValueError(
            "`momentum` must be a float between [0, 1]. "
            f"Received: momentum={momentum!r}"
        )
    return momentum

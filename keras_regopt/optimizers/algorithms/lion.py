from keras import ops

from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine._in_place import after_reads
from keras_regopt.optimizers.engine._numerics import lerp, stepped_by


@register
class Lion(DropIn):
    """Steps of one size, in the sign of an average of the gradients, faster.

    Makes the steps of `keras.optimizers.Lion` and reads and writes its files. A
    step is

        w = w - rate sign(beta_1 m + (1 - beta_1) g),
        m = beta_2 m + (1 - beta_2) g.

    It keeps one state where Adam keeps two. All entries move by the same
    amount, so take a rate of a third to a tenth of Adam's, and a weight decay
    larger by as much. Use it where you would use Keras' own.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. Defaults to `0.001`.
        beta_1: Weight of the average in the direction, in (0, 1]. Defaults to
            `0.9`.
        beta_2: Decay of the average of the gradients, in [0, 1]. Defaults to
            `0.99`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Lion(1e-4, weight_decay=0.1), "mse")
        >>> model.optimizer.name
        'lion'

    References:
        Chen et al. 2023, Symbolic discovery of optimization algorithms
        (arXiv 2302.06675); `keras/src/optimizers/lion.py`.
    """

    search_space = {"learning_rate": Range(1e-6, 1e-2, log=True)}

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        if isinstance(beta_1, (int, float)) and not 0 < beta_1 <= 1:
            # In the words of Keras, whose tests look for them.
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the "
                f"optimizer degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_1 = in_range(self, "beta_1", beta_1, above=0, high=1)
        self.beta_2 = in_range(self, "beta_2", beta_2, low=0, high=1)

    def slot_names(self):
        return [("momentum",)]

    def formula(self, variable, gradient, slots, step):
        (momentum,) = slots
        mixed = lerp(gradient, momentum, self.beta_1)
        variable = stepped_by(variable, step.rate, ops.sign(mixed))
        weight = after_reads(1 - self.beta_2, variable)
        return variable, [lerp(momentum, gradient, weight)]

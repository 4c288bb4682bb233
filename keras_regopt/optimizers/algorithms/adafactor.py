import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import boolean, fail, in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn
from keras_regopt.optimizers.engine._numerics import lerp, stepped_by


@register
class Adafactor(DropIn):
    """Squared gradients averaged by row and column, and clipped steps, faster.

    Makes the steps of `keras.optimizers.Adafactor` and reads and writes its
    files. Of a variable with two axes or more, the average `v` of the squared
    gradients is the product of those of its rows, `r`, and of its columns, `c`,
    over the last two axes:

        b = 1 - t ** beta_2_decay,    rho = min(rate, 1 / sqrt(t)),
        r = b r + (1 - b) mean(g ** 2 + epsilon_1, axis=-1),
        c = b c + (1 - b) mean(g ** 2 + epsilon_1, axis=-2),
        v = r c / mean(r),    u = g / sqrt(v),
        w = w - max(epsilon_2, rms(w)) rho u / max(1, rms(u) / clip_threshold).

    The step is relative to the size of the weights. Use it where you would use
    Keras' own. As Keras', it keeps `v` in its files, so that it spares less
    memory than the paper's.

    Args:
        learning_rate: A number >= 0, a `LearningRateSchedule`, or a function
            without arguments. At step `t` it is `1 / sqrt(t)` at most. Defaults
            to `0.001`.
        beta_2_decay: Number <= 0, the power of the step in the decay of the
            averages. Defaults to `-0.8`.
        epsilon_1: Number >= 0 that is added to the squared gradients. Defaults
            to `1e-30`.
        epsilon_2: Number >= 0, the least size of weights to which a step is
            relative. Defaults to `1e-3`.
        clip_threshold: Number > 0, the largest root mean square of `u`.
            Defaults to `1.0`.
        relative_step: Whether a constant learning rate is limited to
            `1 / sqrt(t)`. Keras limits it anyway, and so does this; it is there
            for the config. Defaults to `True`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the update;
            `groups`; and Keras' arguments of every optimizer, such as
            `weight_decay` (decoupled) and `clipnorm`.

    Raises:
        ValueError: If `lazy` is set: the averages of the columns need all
            rows.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Adafactor(0.01), "mse")
        >>> model.optimizer.name
        'adafactor'

    References:
        Shazeer and Stern 2018, Adafactor: adaptive learning rates with
        sublinear memory cost (arXiv 1804.04235);
        `keras/src/optimizers/adafactor.py`.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        if self.lazy:
            fail(self, "lazy", "False, since columns need all rows", True)
        self.beta_2_decay = in_range(self, "beta_2_decay", beta_2_decay, high=0)
        self.epsilon_1 = in_range(self, "epsilon_1", epsilon_1, low=0)
        self.epsilon_2 = in_range(self, "epsilon_2", epsilon_2, low=0)
        self.clip_threshold = in_range(
            self, "clip_threshold", clip_threshold, above=0
        )
        self.relative_step = boolean(self, "relative_step", relative_step)

    def slot_names(self):
        return [("row", "column", "velocity")]

    def slot_spec(self, name, variable):
        shape, dtype = super().slot_spec(name, variable)
        if name == "velocity":
            return shape, dtype
        if len(shape) < 2:
            # Keras has an integer there that stays zero.
            return (), "int32"
        shape = shape[:-1] if name == "row" else (*shape[:-2], shape[-1])
        return shape, dtype

    def kind_of(self, index, variable):
        # The means need the whole variable.
        return None

    def step_values(self, gradients, variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        return 1 / ops.sqrt(step), ops.power(step, self.beta_2_decay)

    def norms(self, index, variable, gradient, norm):
        return (norm(variable),)

    def formula(self, variable, gradient, slots, step):
        row, column, velocity = slots
        limit, weight = step.values
        squares = ops.square(gradient) + self.epsilon_1
        if len(gradient.shape) < 2:
            velocity = lerp(velocity, squares, weight)
        else:
            row = lerp(row, ops.mean(squares, axis=-1), weight)
            column = lerp(column, ops.mean(squares, axis=-2), weight)
            ratio = row / ops.mean(row, axis=-1, keepdims=True)
            velocity = ratio[..., None] * column[..., None, :]
        move = gradient / ops.sqrt(velocity)
        root = math.prod(gradient.shape) ** 0.5
        # Of the weights after the decay.
        length = step.norms[0] * (1 - step.rate * step.decay)
        size = ops.maximum(length / root, self.epsilon_2)
        excess = step.norm(move) / (root * self.clip_threshold)
        rate = size * ops.minimum(step.rate, limit) / ops.maximum(excess, 1.0)
        value = stepped_by(variable, rate, move)
        return value, [row, column, velocity]

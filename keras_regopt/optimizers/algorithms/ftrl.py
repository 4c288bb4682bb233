from keras import ops

from keras_regopt._registry import register
from keras_regopt._types import LearningRate
from keras_regopt._validate import in_range
from keras_regopt.optimizers.algorithms._drop_in import DropIn


@register
class Ftrl(DropIn):
    """Follow the regularized leader: weights from summed gradients, faster.

    Makes the steps of `keras.optimizers.Ftrl` and reads and writes its files.
    With `p = -learning_rate_power` a step is

        n' = n + g ** 2,
        z = z + g + 2 shrinkage w - (n' ** p - n ** p) / rate w,
        w = (clip(z, -l1, l1) - z) / ((n' ** p + beta) / rate + 2 l2).

    Weights whose sum stays within the L1 strength are exactly zero. Made for
    wide, sparse and shallow models, such as those of click rates. Use it where
    you would use Keras' own.

    Args:
        learning_rate: A number > 0, a `LearningRateSchedule`, or a function
            without arguments. A rate of zero gives NaN, as in Keras. Defaults
            to `0.001`.
        learning_rate_power: Number <= 0; `0` keeps the rate as it is. Defaults
            to `-0.5`.
        initial_accumulator_value: Number >= 0 at which the sums of squares
            begin. Defaults to `0.1`.
        l1_regularization_strength: Strength >= 0 of the L1 penalty that makes
            weights zero. Defaults to `0.0`.
        l2_regularization_strength: Strength >= 0 of the L2 penalty. Defaults to
            `0.0`.
        l2_shrinkage_regularization_strength: Strength >= 0 of an L2 penalty
            whose gradient is added to that of the loss, but not to the sum of
            squares. Defaults to `0.0`.
        beta: Number >= 0 that is added to the root of the sum of squares, as in
            the paper. Defaults to `0.0`.
        **kwargs: `l1`, `l2` and `exclude`, for penalties inside the gradient;
            `lazy`, for embeddings; `groups`; and Keras' arguments of every
            optimizer, such as `weight_decay` (decoupled) and `clipnorm`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(Ftrl(0.1, l1_regularization_strength=0.01), "mse")
        >>> model.optimizer.name
        'ftrl'

    References:
        McMahan et al. 2013, Ad click prediction: a view from the trenches;
        `keras/src/optimizers/ftrl.py`.
    """

    initial_values = {"accumulator": "initial_accumulator_value"}

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power = _checked(
            self, "learning_rate_power", learning_rate_power, "negative"
        )
        for name, value in {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": (
                l2_shrinkage_regularization_strength
            ),
            "beta": beta,
        }.items():
            setattr(self, name, _checked(self, name, value, "positive"))

    def slot_names(self):
        return [("accumulator", "linear")]

    def formula(self, variable, gradient, slots, step):
        accumulator, linear = slots
        before = self._power(accumulator)
        accumulator = accumulator + ops.square(gradient)
        after = self._power(accumulator)
        shrinkage = 2 * self.l2_shrinkage_regularization_strength
        if shrinkage:
            gradient = gradient + variable * shrinkage
        linear = linear + gradient - (after - before) / step.rate * variable
        divisor = (after + self.beta) / step.rate
        divisor = divisor + 2 * self.l2_regularization_strength
        l1 = self.l1_regularization_strength
        # Soft threshold: zero where the sum is within L1.
        shrunk = ops.clip(linear, -l1, l1) - linear if l1 else -linear
        return shrunk / divisor, [accumulator, linear]

    def _power(self, accumulator):
        if self.learning_rate_power == -0.5:
            return ops.sqrt(accumulator)
        return ops.power(accumulator, -self.learning_rate_power)


def _checked(optimizer, name, value, sign):
    """A number that is zero or has a sign, `"positive"` or `"negative"`."""
    factor = {"positive": 1, "negative": -1}[sign]
    if isinstance(value, (int, float)) and value * factor < 0:
        # In the words of Keras, whose tests look for them.
        raise ValueError(
            f"`{name}` needs to be {sign} or zero. Received: {name}={value}."
        )
    limit = {"positive": "low", "negative": "high"}[sign]
    return in_range(optimizer, name, value, **{limit: 0})

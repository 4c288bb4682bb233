"""Regularizers that break one promise each."""

import keras
import numpy as np
from broken import UNKNOWN_VALUES, Broken, compiled_only, register
from keras import ops
from own_classes import SquaredWeights

from keras_regopt.testing import regularizers


class KeepsHalfPrecision(SquaredWeights):
    """Computes in the dtype of the weight."""

    def __call__(self, x):
        return ops.sum(ops.square(x)) * self.rate


class GivesPythonNumber(SquaredWeights):
    """Returns a Python number where there is nothing to penalize."""

    def __call__(self, x):
        return 0.0


class ForgetsToSum(SquaredWeights):
    """Returns a penalty for each weight."""

    def __call__(self, x):
        return self.rate * ops.square(ops.cast(x, "float32"))


class Rewards(SquaredWeights):
    """Has the sign wrong."""

    def __call__(self, x):
        return -super().__call__(x)


class RootAtZero(SquaredWeights):
    """Takes a root whose slope at zero is infinite."""

    def __call__(self, x):
        squares = ops.sum(ops.square(ops.cast(x, "float32")))
        return self.rate * ops.sqrt(squares)


class CountsInPython(SquaredWeights):
    """Grows with each call, which a compiled step makes only once."""

    calls = 0

    def __call__(self, x):
        self.calls += 1
        return self.calls * super().__call__(x)


class BranchesInPython(SquaredWeights):
    """Chooses by a value that a compiled step does not know."""

    def __call__(self, x):
        penalty = super().__call__(x)
        return penalty if penalty > 1e-3 else 0 * penalty


class LogOfNegative(SquaredWeights):
    """Takes the logarithm of activities of either sign."""

    def __call__(self, x):
        return self.rate * ops.sum(ops.log(ops.cast(x, "float32")))


class OverflowsInHalf(SquaredWeights):
    """Squares in half precision, and casts when it is too late."""

    def __call__(self, x):
        squares = ops.square(x * 1000)
        return self.rate * ops.cast(ops.sum(squares), "float32")


@register
class ForgetsRate(SquaredWeights):
    """Comes back from a file with the default instead of its argument."""

    def get_config(self):
        return {}


@register
class DrawsAtConstruction(SquaredWeights):
    """Draws something that no configuration holds."""

    def __init__(self, rate=0.01):
        super().__init__(rate * np.random.uniform(1, 100))


@register
class UnbuiltLayer(SquaredWeights, keras.layers.Layer):
    """Is a layer too, which Keras wants to quantize in the other one's place.

    Args:
        rate: Strength of the penalty.
    """

    def __init__(self, rate=0.01):
        keras.layers.Layer.__init__(self)
        super().__init__(rate)


BROKEN = {
    regularizers.gives_a_single_precision_scalar: [
        Broken(KeepsHalfPrecision, "weight has dtype bfloat16"),
        Broken(GivesPythonNumber, "is no scalar tensor"),
        Broken(ForgetsToSum, "is no scalar tensor"),
        Broken(Rewards, "the penalty on a float32 weight is -"),
    ],
    regularizers.has_a_finite_gradient: [
        Broken(RootAtZero, r"the gradient is .*nan"),
    ],
    regularizers.trains_alike_compiled_or_not: [
        compiled_only(CountsInPython, "the losses differ in mode"),
        compiled_only(BranchesInPython, UNKNOWN_VALUES),
        Broken(LogOfNegative, "the losses are .*nan"),
    ],
    regularizers.trains_in_mixed_precision: [
        Broken(OverflowsInHalf, "the losses are .*(nan|inf)"),
    ],
    regularizers.reloads: [
        Broken(ForgetsRate, "the loss is", {"rate": 0.5}),
        Broken(DrawsAtConstruction, "the loss is"),
    ],
    regularizers.quantizes: [
        Broken(UnbuiltLayer, "not built yet"),
    ],
}

"""Schedules that break one promise each."""

import keras
from broken import UNKNOWN_VALUES, Broken, compiled_only, register
from keras import ops
from own_classes import InverseDecay

from keras_regopt.testing import schedules


class FallsBelowZero(InverseDecay):
    """Goes on in its straight line where it should have ended."""

    def __call__(self, step):
        return self.rate * (1 - ops.cast(step, "float32") / 500)


class DividesByStep(InverseDecay):
    """Divides by the step, the first of which is zero."""

    def __call__(self, step):
        return self.rate / ops.sqrt(ops.cast(step, "float32"))


class OverflowsInIntegers(InverseDecay):
    """Squares the step as an integer, which may have 32 bits only."""

    def __call__(self, step):
        square = ops.cast(step * step, "float32")
        return self.rate / (1 + ops.sqrt(ops.abs(square)))


class GivesHalfPrecision(InverseDecay):
    """Computes in half precision."""

    def __call__(self, step):
        return ops.cast(super().__call__(step), "float16")


class GivesPythonNumber(InverseDecay):
    """Returns a Python number."""

    def __call__(self, step):
        return self.rate


class KeepsShape(InverseDecay):
    """Returns a list of one rate."""

    def __call__(self, step):
        return ops.reshape(super().__call__(step), (1,))


class BranchesInPython(InverseDecay):
    """Chooses by a step that a compiled function does not know."""

    def __call__(self, step):
        rate = super().__call__(step)
        return rate if step < self.half else rate / 2


class CountsTraces(InverseDecay):
    """Counts its own calls and forgets the step."""

    calls = 0

    def __call__(self, step):
        self.calls += 1
        return super().__call__(self.calls)


class LateByOne(InverseDecay):
    """Keeps a rate for the next call."""

    last = 0.0

    def __call__(self, step):
        rate, self.last = self.last, super().__call__(step)
        return ops.convert_to_tensor(rate, "float32")


@register
class ForgetsHalf(InverseDecay):
    """Comes back from a file with a default instead of its argument."""

    def get_config(self):
        return {"rate": self.rate}


@register
class NestedUnread(InverseDecay):
    """Holds a schedule that its `from_config` leaves as a dict."""

    def __init__(self, inner=None):
        super().__init__()
        self.inner = inner or keras.optimizers.schedules.CosineDecay(0.1, 9)

    def __call__(self, step):
        return self.inner(step) / 2

    def get_config(self):
        return {"inner": keras.saving.serialize_keras_object(self.inner)}


BROKEN = {
    schedules.gives_finite_rates: [
        Broken(FallsBelowZero, "the rate at 1000 is -"),
        Broken(DividesByStep, "the rate at 0 is inf"),
    ],
    schedules.takes_every_kind_of_step: [
        Broken(OverflowsInIntegers, "1000000, given as int32, is"),
        Broken(GivesHalfPrecision, "is no float32 scalar tensor"),
        Broken(GivesPythonNumber, "is no float32 scalar tensor"),
        Broken(KeepsShape, "is no float32 scalar tensor"),
    ],
    schedules.gives_the_same_rates_compiled: [
        compiled_only(BranchesInPython, UNKNOWN_VALUES),
        compiled_only(CountsTraces, "compiled, the rates are"),
    ],
    schedules.drives_an_optimizer: [
        Broken(LateByOne, "at step 0 the weight moved by"),
    ],
    schedules.reloads: [
        Broken(ForgetsHalf, "the rate was and is", {"half": 2}),
        Broken(NestedUnread, "'dict' object is not callable"),
    ],
}

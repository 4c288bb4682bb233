"""Constraints that break one promise each."""

import numpy as np
from broken import UNKNOWN_VALUES, Broken, compiled_only, register
from keras import ops
from own_classes import Capped

from keras_regopt.testing import constraints


class BecomesSingle(Capped):
    """Returns single precision whatever came."""

    def __call__(self, w):
        return ops.cast(super().__call__(w), "float32")


class Flattens(Capped):
    """Forgets the shape."""

    def __call__(self, w):
        return ops.reshape(super().__call__(w), (-1,))


class DividesByZero(Capped):
    """Takes the length of what has none."""

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        return w / ops.sqrt(ops.sum(ops.square(w)))


class WritesInPlace(Capped):
    """Changes the weight that it was given."""

    def __call__(self, w):
        return w.mul_(0.5)


@register
class DrawsAnew(Capped):
    """Holds a number that no configuration does."""

    def __init__(self, limit=1.0):
        super().__init__(limit)
        self.draw = float(np.random.uniform(0.1, 1))

    def __call__(self, w):
        return super().__call__(w) * self.draw


class CountsInPython(Capped):
    """Narrows with each call, which a compiled step makes only once."""

    calls = 0

    def __call__(self, w):
        self.calls += 1
        return super().__call__(w) / self.calls


class BranchesInPython(Capped):
    """Chooses by a value that a compiled step does not know."""

    def __call__(self, w):
        return super().__call__(w) if ops.max(w) > 0.1 else w


@register
class ForgetsBounds(Capped):
    """Comes back from a file with the default instead of its argument."""

    def get_config(self):
        return {}


BROKEN = {
    constraints.keeps_shapes_and_dtypes: [
        Broken(BecomesSingle, "a bfloat16 weight of"),
        Broken(Flattens, "a float32 weight of"),
        Broken(DividesByZero, "weight became .*nan"),
    ],
    constraints.leaves_its_input_alone: [
        Broken(WritesInPlace, "changed in place", backends="torch"),
    ],
    constraints.acts_alike_on_equal_weights: [
        Broken(DrawsAnew, "two copies give"),
    ],
    constraints.trains_alike_compiled_or_not: [
        compiled_only(CountsInPython, "the losses differ in mode"),
        compiled_only(BranchesInPython, UNKNOWN_VALUES),
    ],
    constraints.reloads: [
        Broken(ForgetsBounds, "the next losses are", {"limit": 0.1}),
    ],
}

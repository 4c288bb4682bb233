"""A number that only the compiled step knows, where a Python number stood."""

import keras
from keras import ops

_OPERATIONS = (
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__truediv__",
    "__rtruediv__",
    "__pow__",
    "__neg__",
)


class StepNumber:
    """A number > 0 for the attribute of an optimizer, while a step is made.

    It is computed with as the tensor that it holds. Optimizers also ask, in
    Python, whether there is any momentum at all; the answer is yes.

    Args:
        tensor: A scalar tensor, which may belong to a graph.
    """

    def __init__(self, tensor):
        self.tensor = tensor
        self.dtype = tensor.dtype
        self.shape = ()

    def __bool__(self):
        return True

    def __ne__(self, other):
        return True

    def __eq__(self, other):
        return False

    def __gt__(self, other):
        return True

    __hash__ = object.__hash__

    def __tf_tensor__(self, dtype=None, name=None):
        return self.tensor if dtype is None else ops.cast(self.tensor, dtype)

    def __jax_array__(self):
        return self.tensor


def _of_the_tensor(name):
    def operation(self, *others):
        return getattr(self.tensor, name)(*others)

    return operation


for _name in _OPERATIONS:
    setattr(StepNumber, _name, _of_the_tensor(_name))


def step_number(tensor, dtype):
    """What can stand for a Python number in a step, on each backend.

    Args:
        tensor: A scalar tensor > 0.
        dtype: The dtype to compute with.

    Returns:
        A Python float on torch, whose fused functions take nothing else;
        elsewhere a `StepNumber`.
    """
    if keras.backend.backend() == "torch":
        return float(tensor)
    return StepNumber(ops.cast(tensor, dtype))

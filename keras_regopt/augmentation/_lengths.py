"""How many samples, frames or tokens of each element are valid."""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._layout import cast_within
from keras_regopt.augmentation._targets import Target


class Lengths(Target):
    """One integer an element: what lies behind is padding."""

    hook = "apply_to_lengths"
    is_set = False
    is_tensor = True

    def check(self, layer, value, data):
        dtype = keras.backend.standardize_dtype(value.dtype)
        rank = len(data.shape) - layer.element_rank
        numbers = not keras.backend.is_float_dtype(dtype) and dtype != "string"
        if len(value.shape) != rank or not numbers or dtype == "bool":
            raise ValueError(
                f"`lengths` in the inputs of {type(layer).__name__} must be "
                f"integers, one for each element of the {layer.key}. Received: "
                f"shape={tuple(value.shape)}, dtype={dtype}"
            )

    def moved(self, layer, value, parameters, chosen, shape):
        lengths = valid(value, shape[1])
        changed = layer.apply_to_lengths(lengths, parameters, shape)
        return select(chosen, cast_within(changed, value.dtype), value)


def valid(lengths, size):
    """Lengths as int32, from 0 to the size of the axis that they count."""
    return ops.clip(ops.cast(lengths, "int32"), 0, ops.cast(size, "int32"))


def lengths_of(inputs, context):
    """The valid lengths of a batch; of one without lengths, all of it.

    Args:
        inputs: Tensor of shape `(batch, size, ...)`.
        context: A dict that may hold `lengths`.

    Returns:
        An int32 tensor of shape `(batch,)`.
    """
    size = ops.shape(inputs)[1]
    if "lengths" in context:
        return valid(context["lengths"], size)
    batch = ops.shape(inputs)[0]
    if isinstance(batch, int) and isinstance(size, int):
        # One operation, which counts in eager calls.
        return ops.convert_to_tensor(np.full(batch, size, "int32"))
    return ops.zeros((batch,), "int32") + ops.cast(size, "int32")


def within(lengths, size):
    """Which positions are valid.

    Args:
        lengths: Int32 tensor of shape `(batch,)`.
        size: The size of the axis that they count.

    Returns:
        A boolean tensor of shape `(batch, size)`.
    """
    return ops.arange(size, dtype="int32")[None] < lengths[:, None]

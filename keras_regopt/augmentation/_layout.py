"""The dtype and the order of axes in which data enter and leave a layer."""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops


class Layout:
    """Takes one tensor to what `apply` works on, and the result back.

    Args:
        layer: The augmentation.
        tensor: A batch of its data, in their original layout.
    """

    def __init__(self, layer, tensor):
        self.input_dtype = keras.backend.standardize_dtype(tensor.dtype)
        self.output_dtype = layer.output_dtype(self.input_dtype)
        self.dtype = compute_dtype(
            self.input_dtype, layer.computes_in_floats, layer.compute_dtype
        )
        self.last_axis_first = layer.last_axis_first
        self.lacks_channels = layer.lacks_channels
        self.unit = layer.unit

    def to_compute(self, tensor):
        """The data in the compute dtype and unit, with the channels last."""
        if self.dtype != self.input_dtype:
            tensor = ops.cast(tensor, self.dtype)
        if self.unit != 1:
            tensor = tensor / self.unit
        if self.lacks_channels:
            return ops.expand_dims(tensor, axis=-1)
        return channels_last(tensor) if self.last_axis_first else tensor

    def to_output(self, result):
        """What `apply` returned, in the output dtype and original layout."""
        if self.unit != 1:
            result = result * self.unit
        result = cast_within(result, self.output_dtype)
        if self.lacks_channels:
            return ops.squeeze(result, axis=-1)
        return channels_first(result) if self.last_axis_first else result


def compute_dtype(dtype, in_floats, policy_dtype):
    """The dtype in which a layer computes with its data.

    Args:
        dtype: The dtype of the data.
        in_floats: Whether the layer computes with the values.
        policy_dtype: The compute dtype of the layer, in which floats leave.

    Returns:
        The name of a dtype.
    """
    if not in_floats and dtype == "bool":
        # There is no arithmetic of truth values.
        return "uint8"
    # The doubles of NumPy leave in the compute dtype in any case.
    doubles = dtype == "float64" and policy_dtype != "float64"
    if not in_floats and not doubles:
        return dtype
    # Half precision cannot hold the 256 levels of a byte between them.
    return "float64" if policy_dtype == "float64" else "float32"


def sample_shape(layer, tensor):
    """The shape of a batch of data as `sample` gets it, channels last."""
    shape = tuple(ops.shape(tensor))
    if layer.lacks_channels:
        return (*shape, 1)
    if layer.last_axis_first:
        return (shape[0], *shape[2:], shape[1])
    return shape


def spatial_axes(layer):
    """The axes of the rows and columns of images, counted from the end."""
    return (-2, -1) if layer.data_format == "channels_first" else (-3, -2)


def channels_last(tensor):
    """A batch whose second axis is moved to the end."""
    return ops.transpose(tensor, (0, *range(2, len(tensor.shape)), 1))


def channels_first(tensor):
    """A batch whose last axis is moved behind that of the batch."""
    rank = len(tensor.shape)
    return ops.transpose(tensor, (0, rank - 1, *range(1, rank - 1)))


def cast_within(tensor, dtype):
    """Casts a tensor; floats to integers rounded and held within bounds.

    Args:
        tensor: The tensor.
        dtype: The dtype to cast to.

    Returns:
        A tensor of that dtype.
    """
    old = keras.backend.standardize_dtype(tensor.dtype)
    if old == keras.backend.standardize_dtype(dtype):
        # Strings cannot be cast, not even to strings, in some graphs.
        return tensor
    is_float = keras.backend.is_float_dtype
    if is_float(old) and not is_float(dtype):
        tensor = ops.clip(ops.round(tensor), *limits(dtype))
    return ops.cast(tensor, dtype)


def limits(dtype):
    """The lowest and the highest float that an integer dtype can hold."""
    if dtype == "bool":
        return 0.0, 1.0
    info = np.iinfo(dtype)
    high = np.float32(info.max)
    if int(high) > info.max:
        # Rounded up, it would wrap around in the cast.
        high = np.nextafter(high, np.float32(0))
    return float(info.min), float(high)

"""The dtypes in which data come and leave."""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops


def cast_within(tensor, dtype):
    """Casts a tensor; floats to integers rounded and held within bounds.

    Args:
        tensor: The tensor.
        dtype: The dtype to cast to.

    Returns:
        A tensor of that dtype.
    """
    came = keras.backend.standardize_dtype(tensor.dtype)
    is_float = keras.backend.is_float_dtype
    if is_float(came) and not is_float(dtype):
        tensor = ops.clip(ops.round(tensor), *limits(dtype))
    return ops.cast(tensor, dtype)


def working(tensor, in_floats, compute_dtype):
    """A tensor in the dtype in which a layer computes with it.

    Args:
        tensor: The tensor.
        in_floats: Whether the layer computes with the values.
        compute_dtype: That of the layer, in which floats leave.

    Returns:
        A tensor.
    """
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if not in_floats and dtype == "bool":
        # There is no arithmetic of truth values.
        return ops.cast(tensor, "uint8")
    # The doubles of NumPy leave in the compute dtype in any case.
    doubles = dtype == "float64" and compute_dtype != "float64"
    if not in_floats and not doubles:
        return tensor
    # Half precision cannot hold the 256 levels of a byte between them.
    wide = compute_dtype == "float64"
    return ops.cast(tensor, "float64" if wide else "float32")


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

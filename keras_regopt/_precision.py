"""Computing in single precision at least.

Squares overflow in half precision, and small numbers vanish.
"""

import keras
from keras import ops


def at_least_float32(*dtypes):
    """The dtype to compute in: float64 where there is one, else float32."""
    names = [keras.backend.standardize_dtype(dtype) for dtype in dtypes]
    return "float64" if "float64" in names else "float32"


def at_least_single(x):
    """A tensor, variable or array in `at_least_float32` of its dtype."""
    x = ops.convert_to_tensor(x)
    return ops.cast(x, at_least_float32(x.dtype))

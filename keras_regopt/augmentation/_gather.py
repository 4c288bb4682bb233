"""Reading rows of a tensor, at the speed of each backend."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph


def rows_at(rows, index):
    """Rows of a tensor at indices that are known to be within it.

    Args:
        rows: Tensor of shape `(count, ...)`.
        index: Integer tensor of numbers from 0 to `count - 1`.

    Returns:
        A tensor of the shape of `index`, and of a row behind that.
    """
    if keras.backend.backend() == "jax" and not in_foreign_tf_graph():
        # By default JAX puts NaN where an index is out of bounds, and on a
        # CPU that choice takes several times as long as all the reading.
        return rows.at[index].get(mode="promise_in_bounds")
    return ops.take(rows, index, axis=0)

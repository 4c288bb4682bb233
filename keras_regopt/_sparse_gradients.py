"""Gradients that have only some rows of a table, on TensorFlow."""

import keras
from keras import ops


def is_sparse(gradient):
    """Whether a gradient is a `tf.IndexedSlices`."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(gradient, tf.IndexedSlices)


def dense(gradient):
    """A gradient as a tensor that has all rows."""
    if is_sparse(gradient):
        import tensorflow as tf

        # Keras' own conversion leaves it as it is.
        return tf.convert_to_tensor(gradient)
    return ops.convert_to_tensor(gradient, sparse=False)


def scaled(gradient, factor):
    """A gradient times a scalar, in its own dtype.

    Args:
        gradient: A tensor or a `tf.IndexedSlices`.
        factor: A scalar tensor.

    Returns:
        A gradient of the same kind.
    """
    if is_sparse(gradient):
        return type(gradient)(
            scaled(gradient.values, factor),
            gradient.indices,
            gradient.dense_shape,
        )
    gradient = ops.convert_to_tensor(gradient)
    return gradient * ops.cast(factor, gradient.dtype)


def summed(gradient):
    """A gradient in which every row appears once; dense ones as they are."""
    if not is_sparse(gradient):
        return gradient
    import tensorflow as tf

    rows, positions = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(
        gradient.values, positions, tf.shape(rows)[0]
    )
    return tf.IndexedSlices(values, rows, gradient.dense_shape)

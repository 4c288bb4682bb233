"""Random formulas of each element on TensorFlow, compiled by XLA.

A graph that is not compiled otherwise calls them as functions that are.
"""

import functools

import tensorflow as tf

from keras_regopt._elementwise import formulas


def transformed(formula, x, key, numbers):
    """Computes a formula of each element; see `_elementwise.transformed`."""

    # TensorFlow's own gradient of a compiled function would keep all of it.
    @tf.custom_gradient
    def compute(x):
        def gradient(upstream):
            slope = formulas.GRADIENTS.get(formula)
            if slope is None:
                return upstream
            formula_of_slope, numbers_of = slope
            # Again by this function, so that it has a gradient itself.
            return transformed(
                formula_of_slope, upstream, key, numbers_of(*numbers)
            )

        return _compiled(formula, x, key, numbers), gradient

    return compute(x)


def _compiled(formula, x, key, numbers):
    flat = tf.reshape(x, [-1])
    size = flat.shape[0]
    if size is None:
        flat = _filled_up(flat)
    dtype = formulas.compute_dtype(x.dtype)
    dtype = dtype if dtype.startswith("float") else "float32"
    numbers = [tf.cast(n, dtype) for n in numbers]
    numbers = tf.stack(numbers) if numbers else tf.zeros([0], dtype)
    flat = _function(formula, x.dtype, dtype)(flat, key, numbers)
    if size is None:
        flat = flat[: tf.size(x)]
    return tf.reshape(flat, tf.shape(x))


def _filled_up(flat):
    """To one of few sizes, since XLA compiles again for each.

    There are eight from a size to its double. Most batches have one of these,
    as they have a power of two of rows, and then nothing is copied.
    """
    size = tf.size(flat)
    exponents = tf.range(9, 28, dtype="int32")
    # The largest step that is at most an eighth of the size.
    larger = tf.cast(tf.bitwise.left_shift(8, exponents) <= size, "int32")
    step = tf.bitwise.left_shift(256, tf.reduce_sum(larger))
    return tf.pad(flat, [[0, -size % step]])


@functools.cache
def _function(formula, dtype, number_dtype):
    count = formulas.count_of_numbers(formula)

    def compute(x, key, numbers):
        return formulas.computed(formula, x, key, tf.unstack(numbers, count))

    return tf.function(
        compute,
        input_signature=[
            tf.TensorSpec([None], dtype),
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([count], number_dtype),
        ],
        jit_compile=True,
        autograph=False,
    )

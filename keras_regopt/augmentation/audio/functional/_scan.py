"""A loop over time, compiled where there is a compiler."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph


def scanned(step, carry, items):
    """Goes through items one after the other.

    Unlike `keras.ops.scan`, which under TensorFlow demands results that look
    like what is carried.

    Args:
        step: Function of what is carried, a tuple of tensors, and of one
            item. Returns what is carried on, and one tensor.
        carry: What the first step gets.
        items: Tensor with a leading axis of steps, whose size is known.

    Returns:
        The results of the steps, with a leading axis of steps.
    """
    if in_foreign_tf_graph() or keras.backend.backend() == "tensorflow":
        return _by_tensorflow(step, carry, items)
    if keras.backend.backend() == "jax":
        return ops.scan(step, carry, items)[1]
    results = []
    for item in items:
        carry, result = step(carry, item)
        results.append(result)
    return ops.stack(results)


def _by_tensorflow(step, carry, items):
    import tensorflow as tf

    count = items.shape[0]
    results = tf.TensorArray(tf.float32, size=count)

    def body(number, carry, results):
        carry, result = step(carry, items[number])
        return number + 1, carry, results.write(number, result)

    _, _, results = tf.while_loop(
        lambda number, *_: number < count, body, (0, carry, results)
    )
    return results.stack()

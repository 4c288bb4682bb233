"""Warnings of what a layer finds in its data, also within a graph."""

import weakref

from keras_regopt.augmentation._told import is_settled, warn_once
from keras_regopt.augmentation._training import in_tf_data


def notice(layer, cause, condition, message, *numbers):
    """Warns once for a layer, if a condition holds.

    In a `tf.data` function, Python is called where it holds, and only there;
    a graph that may be saved prints the message instead.

    Args:
        layer: The layer that warns.
        cause: A string that tells this warning from others of the layer.
        condition: Scalar boolean tensor.
        message: Text with `{}` for each of the numbers.
        *numbers: Scalar integer tensors.
    """
    import tensorflow as tf

    if is_settled(layer, cause):
        return
    if tf.executing_eagerly():
        if condition:
            warn_once(layer, cause, message.format(*map(int, numbers)))
        return
    layer = weakref.ref(layer)

    def warned(*values):
        if layer() is not None:
            warn_once(layer(), cause, message.format(*map(int, values)))
        return True

    def said():
        if in_data:
            return tf.ensure_shape(tf.py_function(warned, numbers, "bool"), ())
        tf.print(tf.strings.format(message, list(numbers)))
        return tf.constant(True)

    in_data = in_tf_data()
    tf.cond(condition, said, lambda: tf.constant(False))

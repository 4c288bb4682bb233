"""Looking at the data of a call, until enough was seen.

Nothing of this enters a graph other than that of a `tf.data` function, neither
that of a compiled step nor that of a served model.
"""

import weakref

from keras_regopt.augmentation._told import is_settled, settle
from keras_regopt.augmentation._training import in_tf_data, is_traced

# Outside of the layers, so that these can be copied and saved.
_flags = weakref.WeakKeyDictionary()


def look_until_settled(layer, cause, tensor, numbers, judge, when=None):
    """Hands some numbers of a batch to a function, until that has seen enough.

    In eager code at once, in `tf.data` when an element comes, in any other
    graph never.

    Args:
        layer: The layer that looks.
        cause: A string that tells this look from others of the layer.
        tensor: The data.
        numbers: Function of nothing that returns a list of scalar tensors.
        judge: Function of these numbers, as floats, that warns or raises if
            it must, and returns whether that is all.
        when: Function of nothing that returns a scalar tensor, whether there
            is anything to judge. Defaults to `None`: always.
    """
    if is_settled(layer, cause):
        return

    def seen(*values):
        if not is_settled(layer, cause) and judge(*values):
            settle(layer, cause)
        return is_settled(layer, cause)

    if in_tf_data():
        _look_in_tf_data(_flag(layer, cause), numbers, seen, when)
    elif not is_traced(tensor) and (when is None or bool(when())):
        seen(*map(float, numbers()))


def _look_in_tf_data(done, numbers, seen, when):
    import tensorflow as tf

    def report(*values):
        # The graph holds this function, and so the variable.
        result = seen(*map(float, values))
        done.assign(result)
        return result

    def look():
        values = [tf.cast(number, "float64") for number in numbers()]
        return tf.ensure_shape(tf.py_function(report, values, tf.bool), ())

    def look_if_needed():
        if when is None:
            return look()
        return tf.cond(when(), look, lambda: tf.constant(False))

    # Only then is Python asked, which would slow every element down.
    tf.cond(done, lambda: tf.constant(True), look_if_needed)


def _flag(layer, cause):
    """The variable that tells the functions of `tf.data` not to look again."""
    import tensorflow as tf

    flags = _flags.setdefault(layer, {})
    if cause not in flags:
        # Outside of the function that is being traced.
        with tf.init_scope(), tf.device("CPU:0"):
            variable = tf.Variable(False, trainable=False)
        # A strategy makes copies for its devices; `tf.data` needs one.
        flags[cause] = getattr(variable, "values", (variable,))[0]
    return flags[cause]

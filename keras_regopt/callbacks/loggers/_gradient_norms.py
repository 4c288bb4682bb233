"""The norms of gradients, of all together and of each group."""

import keras
from keras import ops


def gradient_norms(gradients, variables, groups, number):
    """All norms as one tensor; without a gradient a norm is zero.

    Args:
        gradients: List of gradients, which may hold `None`.
        variables: Their variables.
        groups: The group of each variable, an integer from 0.
        number: The number of groups.

    Returns:
        A tensor with the norm of all gradients, then of each group.
    """
    sums = [ops.zeros(())] * number
    for gradient, variable, group in zip(
        _of_all_replicas(gradients), variables, groups, strict=True
    ):
        # The scales of float8 training come in the place of gradients.
        is_scale = getattr(variable, "overwrite_with_gradient", False)
        if gradient is not None and not is_scale:
            sums[group] = sums[group] + _sum_of_squares(gradient)
    return ops.sqrt(ops.stack([sum(sums), *sums]))


def _of_all_replicas(gradients):
    """The gradients of the whole batch, of which a replica has a summand."""
    if keras.backend.backend() != "tensorflow":
        return gradients
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients
    own = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, own))
    return [None if g is None else next(summed) for g in gradients]


def _sum_of_squares(gradient):
    if keras.backend.backend() == "tensorflow":
        gradient = _rows_that_appear(gradient)
    # Half precision would overflow.
    return ops.sum(ops.square(ops.cast(gradient, "float32")))


def _rows_that_appear(gradient):
    """A `tf.IndexedSlices` as a tensor that has each of its rows once."""
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    if tf.__internal__.get_enclosing_xla_context() is not None:
        # XLA needs to know how many there are.
        return tf.convert_to_tensor(gradient)
    rows, indices = tf.unique(gradient.indices)
    return tf.math.unsorted_segment_sum(
        gradient.values, indices, tf.shape(rows)[0]
    )

"""The norms of gradients, of all together and of each group."""

import keras
from keras import ops

from keras_regopt._keras import in_xla_graph
from keras_regopt._sparse_gradients import dense, is_sparse, summed


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
        # The scales of float8 training arrive instead of gradients.
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
    reduced = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, own))
    return [None if g is None else next(reduced) for g in gradients]


def _sum_of_squares(gradient):
    if is_sparse(gradient):
        # XLA needs to know how many rows there are.
        fixed = in_xla_graph()
        gradient = dense(gradient) if fixed else summed(gradient).values
    # Half precision would overflow.
    return ops.sum(ops.square(ops.cast(gradient, "float32")))

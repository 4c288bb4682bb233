"""What every replica of `tf.distribute` must do; elsewhere there is one."""

import keras

from keras_regopt._keras import strategy_of


def replicas():
    """How many replicas sum their gradients in a step."""
    if keras.backend.backend() != "tensorflow":
        return 1

    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def update_each(optimizer, update, variables, *columns, shared=()):
    """Runs `update(variable, *its own, *shared)` where the variables live.

    Args:
        optimizer: The optimizer, by whose `assign` and its sisters alone the
            function assigns.
        update: The function.
        variables: List of variables.
        *columns: Lists of what belongs to each of them, as each replica has it.
        shared: Tuple of what all of them get.
    """
    if keras.backend.backend() != "tensorflow":
        for variable, *own in zip(variables, *columns, strict=True):
            update(variable, *own, *shared)
        return

    import tensorflow as tf

    def update_replicas(distribution, variables, columns, shared):
        for variable, *own in zip(variables, *columns, strict=True):
            distribution.extended.update(
                variable, update, args=(*own, *shared), group=False
            )

    strategy = strategy_of(optimizer)
    natives = [getattr(v, "value", v) for v in variables]
    if tf.distribute.in_cross_replica_context():
        update_replicas(strategy, natives, columns, shared)
        return
    tf.__internal__.distribute.interim.maybe_merge_call(
        update_replicas, strategy, natives, columns, shared
    )


def assign_each(optimizer, variables, values):
    """Assigns values that each replica has computed to its own variables."""
    update_each(optimizer, optimizer.assign, variables, values)

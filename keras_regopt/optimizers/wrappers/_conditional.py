"""Conditional assignment to variables, on every backend.

The branch that is not taken costs nothing: this is no selection.
"""

import keras


def choose(condition, if_true, if_false, variables, assigned=None):
    """Runs one of two functions, which act by assigning to variables.

    Keras' `ops.cond` alone will not do: on JAX it loses what a branch assigns,
    and under `tf.distribute.MirroredStrategy` no branch of a replica may talk
    to the other replicas.

    Args:
        condition: Boolean scalar tensor, the same on every replica; or a
            Python `bool`.
        if_true: Function without arguments.
        if_false: Function without arguments.
        variables: All variables that the functions may read or assign to.
        assigned: Those of them that they may assign to, if not all. With JAX,
            the others then cost nothing.
    """
    if isinstance(condition, bool):
        (if_true if condition else if_false)()
    elif keras.backend.backend() == "tensorflow":
        _choose_in_tensorflow(condition, if_true, if_false)
    elif keras.backend.backend() == "jax":
        _choose_in_jax(condition, if_true, if_false, variables, assigned)
    else:
        (if_true if bool(condition) else if_false)()


def nothing():
    """The function for a branch in which nothing happens."""
    return


def _choose_in_tensorflow(condition, if_true, if_false):
    import tensorflow as tf

    def branch(function):
        # `tf.cond` must not see what a function happens to return.
        return lambda: (function(), None)[1]

    context = tf.distribute.get_replica_context()
    if (
        context is None
        or tf.__internal__.distribute.strategy_supports_no_merge_call()
    ):
        tf.cond(condition, branch(if_true), branch(if_false))
        return

    def choose_for_all(distribution, condition, if_true, if_false):
        def on_replicas(function):
            return lambda: distribution.extended.call_for_each_replica(
                lambda own: (own(), None)[1], args=(function,)
            )

        conditions = distribution.experimental_local_results(condition)
        tf.cond(conditions[0], on_replicas(if_true), on_replicas(if_false))

    # The branch lies around all replicas, which may then talk in it.
    context.merge_call(choose_for_all, args=(condition, if_true, if_false))


def _choose_in_jax(condition, if_true, if_false, variables, assigned):
    import jax

    if not isinstance(condition, jax.core.Tracer):
        (if_true if bool(condition) else if_false)()
        return

    if assigned is None:
        assigned = variables
    current = [(v, v.value) for v in variables]

    def branch(function):
        def after(values):
            mapping = [*current, *zip(assigned, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                function()
            return [scope.get_current_value(v) for v in assigned]

        return after

    values = jax.lax.cond(
        condition,
        branch(if_true),
        branch(if_false),
        [v.value for v in assigned],
    )
    for variable, value in zip(assigned, values, strict=True):
        variable.assign(value)

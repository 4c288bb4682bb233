"""Changing a variable between two steps of JAX's trainer.

In an epoch, the trainer holds the values of all variables, and would have to
give them all back and collect them anew for one that changes.
"""


def put_into_next_step(model, variable, value):
    """Has the next step begin with another value of a variable.

    Args:
        model: The model, in the middle of an epoch.
        variable: One of its non-trainable variables.
        value: A Python number.
    """
    pending = getattr(model.train_function, "pending", None)
    if pending is None:
        pending = {}
        model.train_function = _with_pending(model, pending)
    pending[id(variable)] = value


def _with_pending(model, pending):
    import jax.numpy as jnp

    function = model.train_function
    indices = {id(v): i for i, v in enumerate(model.non_trainable_variables)}

    def step(state, iterator):
        trainable, values, *others = state
        values = list(values)
        for key, value in pending.items():
            index = indices[key]
            values[index] = jnp.full_like(values[index], value)
        pending.clear()
        return function((trainable, values, *others), iterator)

    step.pending = pending
    return step

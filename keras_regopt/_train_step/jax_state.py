"""Where the values of a model are while it trains on JAX.

In an epoch, JAX's trainer holds the values of all variables. To change or to
read one of them, it would have to give all back and collect them again.
"""

import functools

from keras_regopt._train_step.features import PENDING, Feature


def sync(model):
    """Gives the variables their current values.

    Within an epoch JAX keeps them outside of the variables. The next step
    takes them from there again, with whatever was assigned.

    Args:
        model: The model in training.
    """
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def in_sync(model):
    """Whether the variables hold their current values; see `sync`."""
    return getattr(model, "_jax_state_synced", True)


def held_state(model):
    """The values that JAX's trainer holds outside of the variables.

    Args:
        model: The model in training.

    Returns:
        A dict of lists, `"trainable_variables"` and so on; `None` while the
        variables hold their values.
    """
    state = getattr(model, "_jax_state", None)
    return None if not state or in_sync(model) else state


class PendingValue(Feature):
    """A value that a variable has from the next step on.

    Args:
        variable: A non-trainable variable of the model.
    """

    kind = PENDING

    def __init__(self, variable):
        self._variable = variable
        self._value = None

    @property
    def key(self):
        return self.kind, id(self._variable)

    def put(self, value):
        """Sets the value, a Python number, in the middle of an epoch."""
        self._value = value

    def around_function(self, model, function):
        index = functools.cache(functools.partial(self._index, model))

        def train_function(state, iterator):
            if self._value is not None:
                state = self._changed(state, index())
            return function(state, iterator)

        return train_function

    def _index(self, model):
        variables = model.non_trainable_variables
        return next(i for i, v in enumerate(variables) if v is self._variable)

    def _changed(self, state, index):
        """The state of the trainer with the value in it."""
        import jax.numpy as jnp

        trainable, values, *others = state
        values = list(values)
        values[index] = jnp.full_like(values[index], self._value)
        self._value = None
        return (trainable, values, *others)

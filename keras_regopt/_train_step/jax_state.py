"""Where the values of a model are while it trains on JAX.

In an epoch, JAX's trainer holds the values of all variables. To change or to
read one of them, it would have to give all back and collect them again.
"""

import functools
import types

from keras_regopt._keras import seed_generators
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


class PendingValue(Feature):
    """A variable whose value may change between two steps of an epoch.

    JAX's train step sees only the variables of the model. So this one is put
    among them, next to the states of the seed generators: the only ones that
    Keras does not save.

    Args:
        variable: A variable that the model's code reads, and no layer owns.
    """

    kind = PENDING

    def __init__(self, variable):
        self._variable = variable
        self._value = None

    @property
    def key(self):
        return self.kind, id(self._variable)

    def start(self, model):
        holder = types.SimpleNamespace(state=self._variable)
        seed_generators(model).append(holder)

    def end(self, model):
        generators = seed_generators(model)
        generators[:] = [g for g in generators if g.state is not self._variable]

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

"""The weights of a model while `fit` runs."""

import functools

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import all_layers, jax_state
from keras_regopt._precision import at_least_single
from keras_regopt._validate import fail


class LiveWeights:
    """Some weights of a model, readable after every step.

    On JAX, `fit` holds the values outside of the variables during an epoch;
    reading them there spares each step the way into the variables and back.

    Args:
        model: A built Keras model.
        variables: Which of its variables to read.
    """

    def __init__(self, model, variables):
        self.model = model
        self.variables = list(variables)
        self._indices = None
        self._update = None

    def find(self):
        """Looks the weights up again; call it whenever an epoch begins.

        A variable that was frozen or unfrozen moves to another list.
        """
        self._indices = None

    def read(self):
        """The values as tensors, or as variables where those hold them.

        Returns:
            A list in the order of `variables`. It holds no copies: the next
            step changes or deletes the values.
        """
        model = self.model
        state = jax_state(model)
        if not state:
            return [v.value for v in self.variables]
        if self._indices is None:
            lists = {
                "trainable_variables": model.trainable_variables,
                "non_trainable_variables": model.non_trainable_variables,
            }
            indices = {
                id(variable): (name, index)
                for name, variables in lists.items()
                for index, variable in enumerate(variables)
            }
            self._indices = [indices[id(v)] for v in self.variables]
        return [state[name][index] for name, index in self._indices]

    def update(self, averages, fraction):
        """Moves averages towards the weights as they are now.

        Args:
            averages: List of tensors, which must not be used any more.
            fraction: How far they move, a number in (0, 1].

        Returns:
            The new averages, `average + fraction * (weight - average)`.
        """
        if self._update is None:
            self._update = _ema_update(self.read)
        return self._update(averages, fraction)

    def __deepcopy__(self, memo):
        # It watches a model and does not own it.
        return self


def require_built(owner, model):
    """Raises an error unless all weights of a model exist.

    On TensorFlow, Keras makes them in the first step only.
    """
    if not all(layer.built for layer in all_layers(model)):
        fail(
            owner,
            "model",
            "built before the first step",
            model.name,
            "Call `model.build(input_shape)`, or start it with a "
            "`keras.Input`.",
        )


def float_weights(model):
    """The weights of a model that can be averaged.

    Args:
        model: A built Keras model.

    Returns:
        A list of variables: no integers, and no scales of float8 training.
    """
    return [
        v
        for v in model.weights
        if keras.backend.is_float_dtype(v.dtype)
        and not getattr(v, "overwrite_with_gradient", False)
    ]


def copies(values, precise=False):
    """Tensors of their own, which nothing else will change.

    Args:
        values: List of tensors, variables or arrays.
        precise: Whether those of half precision become single.
    """
    return [_copy(value, precise) for value in values]


def arrays(values, precise=False):
    """NumPy arrays of their own; see `copies`."""
    return [
        np.array(ops.convert_to_numpy(value))
        for value in copies(values, precise)
    ]


def assign(variables, values):
    """Assigns values to variables, which come to share no memory with them."""
    for variable, value in zip(variables, copies(values), strict=True):
        variable.assign(value)


def _copy(value, precise):
    tensor = ops.convert_to_tensor(value)
    if precise:
        tensor = at_least_single(tensor)
    return ops.stop_gradient(ops.copy(tensor))


def _ema_update(read):
    """Makes the function behind `LiveWeights.update`.

    Args:
        read: Function that returns the values of the weights.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # A partial, since TensorFlow warns of functions that several models
        # trace by their code. The graph reads the variables itself.
        update = functools.partial(_updated, values=read())
        graph = tf.function(update, autograph=False)
        return lambda averages, fraction: graph(averages, tf.constant(fraction))
    if backend == "jax":
        return lambda averages, fraction: _update_on_jax()(
            averages, fraction, read()
        )
    if backend == "torch":
        return lambda averages, fraction: _update_on_torch(
            averages, fraction, read()
        )
    return lambda averages, fraction: _updated(averages, fraction, read())


def _updated(averages, fraction, values):
    return [
        average
        + ops.cast(fraction, average.dtype)
        * (ops.cast(value, average.dtype) - average)
        for average, value in zip(averages, values, strict=True)
    ]


@functools.cache
def _update_on_jax():
    import jax

    return jax.jit(_updated, donate_argnums=0)


def _update_on_torch(averages, fraction, values):
    import torch

    with torch.no_grad():
        values = [
            value.to(average.dtype)
            for average, value in zip(averages, values, strict=True)
        ]
        torch._foreach_lerp_(averages, values, fraction)
    return averages

"""The loss of a model as a function of the values of its variables."""

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import ValuesScope, takes_training
from keras_regopt.diagnosis import _nested


def loss_and_updates(model, values, states, batch, training):
    """The loss that `fit` would compute, and the states after the call.

    Args:
        model: A compiled, built model.
        values: Tensors in the place of the trainable variables.
        states: Tensors in the place of the others.
        batch: A triple of inputs, targets and sample weights, or `None`.
        training: Whether the model is called as in training.

    Returns:
        The loss, a scalar, and a list of tensors.
    """
    x, y, sample_weight = batch
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    with ValuesScope(variables, [*values, *states]) as scope:
        options = {"training": training} if takes_training(model) else {}
        predicted = model(x, **options)
        loss = model.compute_loss(
            x=x,
            y=y,
            y_pred=predicted,
            sample_weight=sample_weight,
            training=training,
        )
        after = [scope.get_current_value(v) for v in variables[len(values) :]]
    return loss, after


def to_tensors(data, floats=None):
    """Nested arrays as tensors; floats in Keras' precision, unless given."""
    floats = floats or keras.config.floatx()

    def tensor(array):
        array = _nested.to_numpy(array)
        if array.dtype.kind == "f":
            return ops.convert_to_tensor(array.astype(floats), dtype=floats)
        if array.dtype.kind == "O" or array.dtype.kind in "US":
            return ops.convert_to_tensor(array.tolist())
        return ops.convert_to_tensor(array)

    return map_arrays(tensor, data)


def map_arrays(function, data):
    """A function of each array of nested data."""
    if data is None:
        return None
    if isinstance(data, dict):
        return {key: map_arrays(function, v) for key, v in data.items()}
    if _nested.is_nest(data):
        return type(data)(map_arrays(function, value) for value in data)
    return function(data)


def as_arrays(tensors):
    """Tensors as NumPy arrays that are nobody else's memory."""
    return [np.array(ops.convert_to_numpy(tensor)) for tensor in tensors]


def compiled(function, model):
    """A function of tensors, compiled where that pays.

    Keras' torch runs eagerly, and so does a model that asks for it.
    """
    backend = keras.backend.backend()
    if backend == "torch" or model.run_eagerly:
        return function
    if backend == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, reduce_retracing=True)

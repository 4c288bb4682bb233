import inspect
import math

import keras
import numpy as np
from keras import ops, tree

from keras_regopt._autodiff import gradients_of
from keras_regopt._precision import at_least_float32


class Objective:
    """The loss of a model on all data, as a function of one vector of weights.

    Calling it with a vector returns the loss, a Python number, and the gradient
    as a vector. It leaves the model with the weights of the last call, and
    counts in `failures` those that gave no finite numbers. Vectors are NumPy
    arrays: for the little that a search computes with them, starting operations
    of a backend takes longer than the copy.

    Args:
        model: A built, compiled Keras model.
        data: The tuple `(x, y, sample_weight)` of structures of NumPy arrays.
        batch_size: Samples to evaluate at once, or `None` for all. The loss is
            then the mean of the losses of the batches, weighted by their sizes.
    """

    def __init__(self, model, data, batch_size=None):
        self._variables = model.trainable_variables
        self.failures = 0
        count = len(tree.flatten(data[0])[0])
        size = min(batch_size or count, count)
        self._batches = [
            (
                (min(begin + size, count) - begin) / count,
                map_arrays(lambda a, b=begin: a[b : b + size], data),
            )
            for begin in range(0, count, size)
        ]
        if len(self._batches) == 1:
            # Moved to the device once and for all.
            self._batches = [(1.0, map_arrays(ops.convert_to_tensor, data))]
        self._dtype = at_least_float32(*(v.dtype for v in self._variables))
        self._evaluate = {
            "tensorflow": _on_tensorflow,
            "jax": _on_jax,
            "torch": _on_torch,
        }[keras.backend.backend()](model, self._flat)

    @property
    def weights(self):
        """The model's trainable weights as a vector."""
        values = [ops.convert_to_tensor(v) for v in self._variables]
        return self._array(self._flat(values))

    def assign(self, vector):
        """Gives the model the weights of a vector."""
        begin = 0
        for variable in self._variables:
            end = begin + int(np.prod(variable.shape))
            values = vector[begin:end].reshape(variable.shape)
            # A copy, since some backends would share the memory.
            variable.assign(ops.cast(values.copy(), variable.dtype))
            begin = end

    def __call__(self, vector):
        self.assign(vector)
        total, gradient = 0.0, None
        for weight, data in self._batches:
            loss, term = self._evaluate(*data)
            total += weight * float(loss)
            term = self._array(term)
            if weight < 1:
                term = weight * term
            gradient = term if gradient is None else gradient + term
        finite = math.isfinite(total) and math.isfinite(largest(gradient))
        self.failures += not finite
        return total, gradient

    def _array(self, tensor):
        if keras.backend.backend() == "torch":
            # torch warns when NumPy itself makes the array.
            tensor = tensor.detach().cpu().numpy()
        # A copy, since some backends change variables in place.
        return np.array(tensor, self._dtype)

    def _flat(self, tensors):
        flat = [ops.cast(ops.reshape(t, (-1,)), self._dtype) for t in tensors]
        return ops.concatenate(flat)


def largest(vector):
    """The largest absolute entry, as a Python number."""
    return float(np.max(np.abs(vector)))


def map_arrays(function, data):
    """Applies a function to the arrays of a structure; `None` stays."""
    return tree.map_structure(
        lambda a: None if a is None else function(a), data, none_is_leaf=True
    )


def _on_tensorflow(model, flat):
    import tensorflow as tf

    def evaluate(x, y, sample_weight):
        loss, slopes = _loss_and_gradients(model, x, y, sample_weight)
        return loss, flat([ops.convert_to_tensor(slope) for slope in slopes])

    if model.run_eagerly:
        return evaluate
    return tf.function(evaluate, jit_compile=model.jit_compile)


def _on_jax(model, flat):
    import jax

    def loss_and_updates(weights, state, x, y, sample_weight):
        return model.compute_loss_and_updates(
            weights, *state, x, y, sample_weight, training=False
        )

    def evaluate(weights, state, *data):
        (loss, _), gradients = jax.value_and_grad(
            loss_and_updates, has_aux=True
        )(weights, state, *data)
        return loss, flat(gradients)

    if not model.run_eagerly:
        evaluate = jax.jit(evaluate)

    def of_the_model(*data):
        lists = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.metrics_variables,
        )
        weights, *state = ([v.value for v in each] for each in lists)
        return evaluate(weights, state, *data)

    return of_the_model


def _on_torch(model, flat):
    def evaluate(x, y, sample_weight):
        loss, slopes = _loss_and_gradients(model, x, y, sample_weight)
        return loss.detach(), flat(slopes)

    return evaluate


def _loss_and_gradients(model, x, y, sample_weight):
    def loss_twice():
        loss = loss_of(model, x, y, sample_weight)
        return loss, loss

    slopes, loss = gradients_of(
        loss_twice, model.trainable_variables, zeros=True
    )
    return loss, slopes


def loss_of(model, x, y, sample_weight):
    """The loss of a model as in `evaluate`, with the penalties, as a tensor."""
    y_pred = model(x, **_inference(model.call))
    return model.compute_loss(
        x=x,
        y=y,
        y_pred=y_pred,
        sample_weight=sample_weight,
        **_inference(model.compute_loss),
    )


def _inference(function):
    """The argument `training=False`, for a function that takes it."""
    takes = "training" in inspect.signature(function).parameters
    return {"training": False} if takes else {}

"""The moving statistics of batch normalization, for averaged weights."""

import contextlib
import functools

import keras
from keras import ops

from keras_regopt._keras import all_layers
from keras_regopt._validate import fail
from keras_regopt.callbacks.averaging._live_weights import assign, copies

# Rows of an array in one batch. The statistics of large batches are better.
BATCH_SIZE = 128


def checked_data(owner, data):
    """What the statistics are computed from, or `None`.

    Args:
        owner: The callback under construction.
        data: The value of its argument `data`.

    Returns:
        The value.

    Raises:
        ValueError: If it cannot be passed through several times.
    """
    if data is None or hasattr(data, "shape"):
        return data
    allowed = (
        "None, an array, or an iterable of batches that starts again each time"
    )
    if isinstance(data, tuple):
        remedy = "A tuple may be (x, y): give the inputs alone, or a list."
        fail(owner, "data", allowed, data, remedy)
    if isinstance(data, (str, dict)) or not hasattr(data, "__iter__"):
        if not isinstance(data, keras.utils.PyDataset):
            fail(owner, "data", allowed, data)
    elif iter(data) is data:
        fail(
            owner,
            "data",
            allowed,
            data,
            "A generator is spent after one pass: make it a dataset or a list.",
        )
    return data


def statistics(model):
    """The moving means and variances of all layers of batch normalization."""
    return [
        variable
        for layer in _layers(model)
        for variable in (layer.moving_mean, layer.moving_variance)
    ]


class Reestimation:
    """Computes the moving statistics of a model again.

    Each becomes the mean over the batches of what a batch has in training
    mode, dropout included. Frozen layers keep theirs. The state of random
    layers is that of before afterwards.

    Args:
        model: A built Keras model.
        data: What `checked_data` let pass.
    """

    def __init__(self, model, data):
        self._model = model
        self._data = data
        self._frozen = None

    def run(self):
        """Sets the statistics to what the present weights make of the data."""
        model = self._model
        variables = statistics(model)
        own = {id(variable) for variable in variables}
        others = [v for v in model.non_trainable_variables if id(v) not in own]
        before = copies(others)
        sums, batches = None, 0
        with _without_memory(model):
            forward = self._compiled_forward()
            for x in _inputs(self._data):
                forward(x)
                found = copies(variables, precise=True)
                sums = found if sums is None else _added(sums, found)
                batches += 1
        if batches == 0:
            fail("WeightAveraging", "data", "one batch at least", self._data)
        assign(variables, [total / batches for total in sums])
        assign(others, before)

    def _compiled_forward(self):
        # What is frozen is compiled into it.
        frozen = [layer.trainable for layer in _layers(self._model)]
        if self._frozen != frozen:
            self._frozen, self._forward = frozen, _forward(self._model)
        return self._forward

    def __deepcopy__(self, memo):
        # It watches a model and does not own it.
        return self


def _layers(model):
    return [
        layer
        for layer in all_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


@contextlib.contextmanager
def _without_memory(model):
    """Context in which the moving statistics become those of each batch."""
    layers = _layers(model)
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def _added(sums, values):
    return [a + b for a, b in zip(sums, values, strict=True)]


def _forward(model):
    """A function that calls the model in training mode, compiled if it can."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # A partial, of which TensorFlow does not count the tracings.
        forward = functools.partial(model, training=True)
        return tf.function(forward, autograph=False, reduce_retracing=True)
    if backend == "torch":
        import torch

        return torch.no_grad()(lambda x: model(x, training=True))
    if backend == "jax":
        return _forward_on_jax(model)
    return lambda x: model(x, training=True)


def _forward_on_jax(model):
    import jax

    @jax.jit
    def updates(trainable, others, x):
        return model.stateless_call(trainable, others, x, training=True)[1]

    def forward(x):
        trainable = [v.value for v in model.trainable_variables]
        others = [v.value for v in model.non_trainable_variables]
        updated = updates(trainable, others, x)
        for variable, value in zip(
            model.non_trainable_variables, updated, strict=True
        ):
            variable.assign(value)

    return forward


def _inputs(data):
    """The inputs of the model, batch by batch."""
    if hasattr(data, "shape"):
        for first in range(0, data.shape[0], BATCH_SIZE):
            yield ops.convert_to_tensor(data[first : first + BATCH_SIZE])
        return
    batches = data
    if isinstance(data, keras.utils.PyDataset):
        batches = (data[i] for i in range(data.num_batches))
    for batch in batches:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        yield keras.tree.map_structure(_tensor, x)


def _tensor(x):
    return ops.convert_to_tensor(getattr(x, "numpy", lambda: x)())

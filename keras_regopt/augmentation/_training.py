"""Whether a layer augments by default, where `training` is left open."""

import inspect
import sys

import keras

from keras_regopt._keras import (
    BaseImagePreprocessingLayer,
    Functional,
    entry_layer,
    in_stateless_scope,
    in_symbolic_scope,
    in_tf_graph,
    is_in_jax_tracing_scope,
)
from keras_regopt.augmentation._told import warn_once

# Layers of Keras that bring data into form, and know nothing of them. With
# augmentations among them they are a pipeline, rather than a model.
_PREPARE = (
    keras.layers.CategoryEncoding,
    keras.layers.CenterCrop,
    keras.layers.MelSpectrogram,
    keras.layers.Rescaling,
    keras.layers.Resizing,
    keras.layers.STFTSpectrogram,
)


def augments_by_default(layer, tensor):
    """Whether a layer augments in a call that says nothing of training.

    It augments where the call was made on the layer itself or on a container
    of augmentations, and of nothing else but layers that prepare data, either
    eagerly or within a `tf.data` function. Any other graph may end in a served
    model, so there it does not.

    Args:
        layer: The augmentation that is being called.
        tensor: The data that it is called on.

    Returns:
        A Python `bool`.
    """
    entry = entry_layer()
    alone = entry is None or entry is layer or _only_augments(entry)
    if in_tf_data():
        if not alone:
            _warn_that_augmentation_is_off(layer, entry)
        return alone
    acts = alone and not is_traced(tensor)
    if not acts:
        _warn_in_train_step(layer)
    return acts


def in_tf_data():
    """Whether a function for `tf.data` is being traced."""
    if not in_tf_graph() or "tensorflow" not in sys.modules:
        return False
    graph = sys.modules["tensorflow"].compat.v1.get_default_graph()
    while graph is not None:
        if getattr(graph, "name", "").startswith("Dataset_"):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def is_traced(tensor):
    """Whether a tensor stands for data that are not known yet."""
    if in_stateless_scope() or in_tf_graph():
        return True
    backend = keras.backend.backend()
    if backend == "jax":
        return is_in_jax_tracing_scope(tensor) or is_in_jax_tracing_scope()
    if backend == "torch":
        import torch
        from torch._subclasses import FakeTensor

        return (
            torch.compiler.is_compiling()
            or torch.jit.is_tracing()
            or isinstance(tensor, FakeTensor)
        )
    return False


def _only_augments(layer):
    """Whether a layer is an augmentation, or a pipeline around some."""
    parts = list(_parts_of(layer))
    return any(map(_augments, parts)) and all(
        _augments(part) or _prepares(part) for part in parts
    )


def _parts_of(layer):
    """What pipelines and models that are such consist of."""
    if isinstance(layer, keras.layers.Pipeline) or type(layer) in (
        keras.Sequential,
        Functional,
    ):
        # A functional model lists bare operations, such as `x * 2`, here.
        for part in getattr(layer, "operations", layer.layers):
            if not isinstance(part, keras.layers.InputLayer):
                yield from _parts_of(part)
    else:
        yield layer


def _augments(layer):
    if isinstance(layer, BaseImagePreprocessingLayer):
        # Keras' random layers hold a generator, Resizing does not.
        return hasattr(layer, "generator")
    return getattr(layer, "is_augmentation", False)


def _prepares(layer):
    return isinstance(layer, _PREPARE) and not layer.trainable_variables


def _warn_that_augmentation_is_off(layer, entry):
    warn_once(
        layer,
        "augmentation is off",
        f"{type(layer).__name__} does not augment in this `tf.data` function: "
        f"it is called within {type(entry).__name__} '{entry.name}', which "
        "holds more than augmentations and layers that prepare data, and may "
        "be a model that serves. Pass `training=True` to the call to augment, "
        "`training=False` to silence this warning.",
    )


def _warn_in_train_step(layer):
    """Warns of a training that says nothing of `training`."""
    model = _model_in_training()
    if model is None:
        return
    name = type(model).__name__
    takes = "training" in inspect.signature(model.call).parameters
    remedy = "hand `training` on"
    if not takes:
        remedy = (
            "take `training`, `def call(self, inputs, training=None)`, and "
        )
        remedy += "hand it on"
    warn_once(
        layer,
        "untold of training",
        f"{type(layer).__name__} '{layer.name}' does not augment in this train "
        f"step: no `training` reaches it through the `call` of {name}. There, "
        f"{remedy}: `layer(inputs, training=training)`. `training=False` in "
        "the call of the layer silences this warning.",
    )


def _model_in_training():
    """The model whose train step is under way, or `None`.

    Keras notes it nowhere, but it stands among the callers, also while a step
    is traced.
    """
    if in_symbolic_scope():
        # A model that is being built in its first step, without arguments.
        return None
    if "torch" in sys.modules and sys.modules["torch"].compiler.is_compiling():
        return None
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "train_step":
            model = frame.f_locals.get("self")
            if isinstance(model, keras.Model):
                return model
        frame = frame.f_back
    return None

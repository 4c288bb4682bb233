"""The one place that reaches into `keras.src`.

What stands here has no public name in Keras. When a new Keras release moves
something, this file is the only one to mend.
"""

import importlib
from typing import Any

import keras
from keras import ops
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.backend.common.stateless_scope import (
    get_stateless_scope,
    in_stateless_scope,
)
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from keras.src.backend.common.variables import AutocastScope
from keras.src.layers.preprocessing.data_layer import DataLayer
from keras.src.layers.preprocessing.image_preprocessing.base_image_preprocessing_layer import (  # noqa: E501
    BaseImagePreprocessingLayer,
)
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell
from keras.src.losses.loss import (
    scale_loss_for_distribution,
    unscale_loss_for_distribution,
)
from keras.src.models.functional import Functional
from keras.src.random import seed_generator
from keras.src.random.seed_generator import (
    global_seed_generator,
    make_default_seed,
)
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter
from keras.src.trainers.data_adapters.tf_dataset_adapter import TFDatasetAdapter
from keras.src.trainers.data_adapters.torch_data_loader_adapter import (
    TorchDataLoaderAdapter,
)
from keras.src.trainers.epoch_iterator import EpochIterator
from keras.src.utils.backend_utils import in_tf_graph
from keras.src.utils.io_utils import print_msg
from keras.src.utils.jax_utils import is_in_jax_tracing_scope
from keras.src.utils.naming import to_snake_case

VERSION = tuple(int(number) for number in keras.__version__.split(".")[:2])
# Whether Keras divides the penalty on an activity by the size of the batch.
DIVIDES_ACTIVITY_PENALTIES = VERSION >= (3, 14)
# Keras' layers whose output is their input, but in training.
REST_IN_INFERENCE = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.ActivityRegularization,
)

__all__ = [
    "ArrayDataAdapter",
    "AutocastScope",
    "BaseImagePreprocessingLayer",
    "DataLayer",
    "DropoutRNNCell",
    "EpochIterator",
    "Functional",
    "PyDatasetAdapter",
    "TFDatasetAdapter",
    "TorchDataLoaderAdapter",
    "automatic_names",
    "data_ops",
    "data_random",
    "entry_layer",
    "existing_global_seed",
    "file_attributes",
    "get_stateless_scope",
    "global_seed_generator",
    "has_value",
    "held_tensor",
    "in_foreign_tf_graph",
    "in_stateless_scope",
    "in_symbolic_scope",
    "in_tf_graph",
    "in_training",
    "in_xla_graph",
    "is_in_jax_tracing_scope",
    "make_default_seed",
    "print_msg",
    "scale_loss_for_distribution",
    "unscale_loss_for_distribution",
    "value_before_tracing",
]

# Keras 3.12 to 3.14 write the name where it is used.
_GLOBAL_SEED_GENERATOR = getattr(
    seed_generator, "GLOBAL_SEED_GENERATOR", "global_seed_generator"
)


def automatic_names(class_name):
    """The names that Keras makes for the objects of a class.

    Args:
        class_name: The name of the class.

    Returns:
        What they begin with, and how many were made since the session began.
        All but the first end in `_1`, `_2` and so on.
    """
    base = to_snake_case(class_name)
    return base, (get_global_attribute("object_name_uids") or {}).get(base, 0)


def entry_layer():
    """The outermost Keras layer of the call in progress, or `None`."""
    context = get_global_attribute("current_call_ctx")
    return None if context is None else context.entry_layer


def in_training():
    """Whether the call in progress was told that it trains."""
    context = get_global_attribute("current_call_ctx")
    return context is not None and getattr(context, "training", None) is True


def value_before_tracing(variable):
    """A variable's value as an array, also while a step is traced.

    `None` where there is none, as while JAX traces the step of a `fit`.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.init_scope():
            return ops.convert_to_numpy(variable)
    if keras.backend.backend() == "jax":
        value = variable._value
        return None if value is None or value.is_deleted() else value
    return ops.convert_to_numpy(variable)


def existing_global_seed():
    """The generator of all draws without a seed, or `None` before the first."""
    return get_global_attribute(_GLOBAL_SEED_GENERATOR)


def held_tensor(variable):
    """The tensor that a variable of the torch backend holds.

    It is what `value` returns outside of any scope, at a tenth of the time.
    """
    return variable._value


def file_attributes(store):
    """What a file may hold of a layer besides its weights, a mapping.

    Args:
        store: What Keras hands to `save_own_variables`.

    Returns:
        The attributes of a group in an HDF5 file, or `None` for other stores.
    """
    return getattr(getattr(store, "_h5_entry_group", None), "attrs", None)


def has_value(variable):
    """Whether a variable can be read.

    Under JAX those of a model cannot after a `fit` that ended by an error.
    """
    return variable._value is not None


def in_foreign_tf_graph():
    """Whether a TensorFlow graph is built while Keras has another backend.

    That is the case in a `tf.data` function under JAX or torch. A JAX
    function that is being converted for TensorFlow does not count.
    """
    return (
        keras.backend.backend() != "tensorflow"
        and in_tf_graph()
        and not is_in_jax_tracing_scope()
    )


def in_xla_graph():
    """Whether a TensorFlow graph is built that XLA is going to compile."""
    if not in_tf_graph() or is_in_jax_tracing_scope():
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    graph = tf.compat.v1.get_default_graph()
    return control_flow_util.GraphOrParentsInXlaContext(graph)


class _DataNamespace:
    """Looks functions up anew at each use, so that it fits the moment."""

    def __init__(self, usual, modules):
        self._usual = usual
        self._modules = modules

    def __getattr__(self, name):
        # As in `in_foreign_tf_graph`, but every operation passes through here.
        if not in_tf_graph() or is_in_jax_tracing_scope():
            return getattr(self._usual, name)
        for module in self._modules:
            module = importlib.import_module(
                f"keras.src.backend.tensorflow.{module}"
            )
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"Keras' TensorFlow backend has no `{name}`.")


# `keras.ops` and `keras.random`, which in a `tf.data` function compute with
# TensorFlow whatever Keras' backend is.
data_ops: Any = ops
data_random: Any = keras.random
if keras.backend.backend() != "tensorflow":
    data_ops = _DataNamespace(ops, ("numpy", "core", "nn", "image", "math"))
    data_random = _DataNamespace(keras.random, ("random",))

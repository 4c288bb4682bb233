"""Where a computation runs: eagerly, traced, in a graph, in `tf.data`."""

import importlib
from typing import Any

import keras
from keras import ops
from keras.src.backend.common.stateless_scope import (
    get_stateless_scope,
    in_stateless_scope,
)
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from keras.src.utils.backend_utils import in_tf_graph
from keras.src.utils.jax_utils import is_in_jax_tracing_scope


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
    """Looks functions up at each use, in the module that fits then."""

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

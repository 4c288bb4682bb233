"""Checks of `_keras.scopes`."""

import keras
from keras import ops
from keras_boundary.common import (
    BACKEND,
    Telling,
    check,
    dtype_of,
    on,
)

from keras_regopt import _keras


@check
def get_stateless_scope():
    variable = keras.Variable(1.0)
    with keras.StatelessScope([(variable, ops.convert_to_tensor(2.0))]):
        scope = _keras.get_stateless_scope()
        assert float(scope.get_current_value(variable)) == 2.0


@check
def in_stateless_scope():
    assert not _keras.in_stateless_scope()
    with keras.StatelessScope():
        assert _keras.in_stateless_scope()


@check
def in_symbolic_scope():
    assert not _keras.in_symbolic_scope()
    layer = Telling(_keras.in_symbolic_scope)
    layer(keras.Input((3,)))
    assert layer.told


@check
def in_tf_graph():
    assert not _keras.in_tf_graph()
    assert _in_graph(_keras.in_tf_graph)


@check
def in_foreign_tf_graph():
    assert not _keras.in_foreign_tf_graph()
    assert _in_graph(_keras.in_foreign_tf_graph) == (BACKEND != "tensorflow")


@check
def in_xla_graph():
    assert not _keras.in_xla_graph()
    assert not _in_graph(_keras.in_xla_graph)
    assert _in_graph(_keras.in_xla_graph, jit_compile=True)


@check
def is_in_jax_tracing_scope():
    assert not _keras.is_in_jax_tracing_scope()
    on("jax")
    import jax

    found = []
    jax.jit(lambda x: found.append(_keras.is_in_jax_tracing_scope(x)))(1.0)
    assert found == [True]


@check
def data_ops():
    assert _in_graph(lambda: hasattr(_keras.data_ops.ones(2), "graph"))
    assert dtype_of(_keras.data_ops.ones(2)) == "float32"


@check
def data_random():
    def drawn():
        return _keras.data_random.uniform((2,), seed=1)

    assert tuple(drawn().shape) == (2,)
    assert _in_graph(lambda: hasattr(drawn(), "graph"))


def _in_graph(ask, **options):
    """What a function returns while TensorFlow traces a graph."""
    import tensorflow as tf

    found = []

    def traced(x):
        found.append(ask())
        return x

    tf.function(traced, autograph=False, **options)(tf.constant(1.0))
    return found[0]

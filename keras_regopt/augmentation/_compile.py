"""Runs the heavy part of an augmentation as one compiled program."""

import contextlib
import contextvars
import math
import weakref

import keras

from keras_regopt._keras import in_tf_graph, is_in_jax_tracing_scope
from keras_regopt.augmentation._training import in_tf_data

# Below this many values an eager call is over before a compiler is done.
SMALLEST_EAGER = 2**17

# An eager caller with ever new shapes would compile for ever.
MOST_EAGER_SHAPES = 8

_without_jit = contextvars.ContextVar("without_jit", default=False)

_AS_USUAL = contextlib.nullcontext()

# Outside the layers, so that these can be copied and saved.
_programs = weakref.WeakKeyDictionary()


def without_jit(if_served):
    """A context in which nothing is compiled by itself, if that is served.

    A served graph is converted and run by others, such as ONNX, which know
    nothing of XLA.

    Args:
        if_served: Whether the call may be part of a model that serves.
    """
    if if_served and in_tf_graph() and not in_tf_data():
        return _no_programs()
    return _AS_USUAL


@contextlib.contextmanager
def _no_programs():
    token = _without_jit.set(True)
    try:
        yield
    finally:
        _without_jit.reset(token)


def run_compiled(layer, method, tensor, *arguments):
    """Calls a method of a layer, compiled by XLA where that pays.

    It pays in TensorFlow graphs, `tf.data` included, if all sizes but the
    batch are known, in eager calls on large batches under TensorFlow, and in
    all eager calls under JAX, which compiles in any case. The method
    must not read anything that changes.

    Args:
        layer: The layer.
        method: The name of the method.
        tensor: Its first argument, with a leading batch axis.
        *arguments: The others: tensors, dicts of tensors, and `None`.

    Returns:
        What the method returns.
    """
    arguments = (tensor, *arguments)
    compiler = None if layer.holds_strings else _compiler(layer, tensor)
    if compiler is None:
        return getattr(layer, method)(*arguments)
    programs = _programs.setdefault(layer, {})
    if (compiler, method) not in programs:
        programs[compiler, method] = compiler(_loosely_bound(layer, method))
    return programs[compiler, method](*arguments)


def _compiler(layer, tensor):
    if _without_jit.get():
        return None
    if in_tf_graph() and not is_in_jax_tracing_scope():
        return None if None in tensor.shape[1:] else _compile_tensorflow
    backend = keras.backend.backend()
    if backend == "torch" or is_in_jax_tracing_scope(tensor):
        return None
    if backend == "jax":
        return _compile_jax
    if math.prod(tensor.shape) < SMALLEST_EAGER and not layer.compiles_small:
        return None
    shapes = _programs.setdefault(layer, {}).setdefault("shapes", set())
    if len(shapes) < MOST_EAGER_SHAPES:
        shapes.add(tuple(tensor.shape))
    return _compile_tensorflow if tuple(tensor.shape) in shapes else None


def _loosely_bound(layer, method):
    # The program must not keep its own key alive.
    layer = weakref.ref(layer)

    def call(*arguments):
        return getattr(layer(), method)(*arguments)

    return call


def _compile_tensorflow(function):
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def _compile_jax(function):
    import jax

    return jax.jit(function)

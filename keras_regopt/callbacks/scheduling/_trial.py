"""Tracing a single layer, to see what a compiled train step would say."""

import keras

# For the sizes that a symbolic input leaves open.
_SOME_SIZE = 4


def runs(layer, strength):
    """Traces the call of a layer in training.

    Args:
        layer: The layer. One that has no symbolic input, since it is called
            in the code of another one, and what is no layer pass untried.
        strength: The variable that the layer may read.

    Returns:
        `None`, or the exception that came.
    """
    inputs = getattr(layer, "_inbound_nodes", None) and layer.input
    if inputs is None or not isinstance(inputs, keras.KerasTensor):
        return None
    try:
        _trace[keras.backend.backend()](layer, inputs, strength)
    except Exception as error:
        return error
    finally:
        layer._clear_losses()
    return None


def _called(layer, x):
    if layer._call_has_training_arg:
        return layer(x, training=True)
    return layer(x)


def _on_tensorflow(layer, inputs, strength):
    import tensorflow as tf

    call = tf.function(lambda x: _called(layer, x), autograph=False)
    call.get_concrete_function(tf.TensorSpec(inputs.shape, inputs.dtype))


def _on_jax(layer, inputs, strength):
    import jax

    def call(value, x):
        with keras.StatelessScope(state_mapping=[(strength, value)]):
            return _called(layer, x)

    shape = [_SOME_SIZE if size is None else size for size in inputs.shape]
    jax.eval_shape(
        call,
        jax.ShapeDtypeStruct((), strength.dtype),
        jax.ShapeDtypeStruct(shape, inputs.dtype),
    )


_trace = {"tensorflow": _on_tensorflow, "jax": _on_jax}

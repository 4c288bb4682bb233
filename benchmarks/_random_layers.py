"""What bench_regularization.py times of the random layers alone.

A call in training and its gradient, of ours and of Keras' layer of the same
name, on 32x32x32x64 floats; and, to compare with, a ReLU.
"""

import functools

import keras
import numpy as np
from keras import ops

from keras_regopt import layers

SHAPE = (32, 32, 32, 64)
OURS, KERAS, RELU = "ours", "Keras", "ReLU"
MODES = {
    "tensorflow": {"TF graph": False, "TF jit": True},
    "jax": {"JAX": True},
    "torch": {"torch": False},
}
# The layers that stand in for Keras', with their arguments.
DROP_INS = {
    "Dropout": (0.1,),
    "SpatialDropout2D": (0.1,),
    "AlphaDropout": (0.1,),
    "GaussianDropout": (0.1,),
    "GaussianNoise": (0.1,),
}


def steps(backend, contender):
    """A layer in all modes of a backend.

    Args:
        backend: A backend of Keras.
        contender: (name of a layer, `OURS` or `KERAS`), or `(RELU, None)`.

    Yields:
        (mode, function without arguments).
    """
    name, whose = contender
    x = np.random.default_rng(0).standard_normal(SHAPE, "float32")
    for mode, jit in MODES[backend].items():
        if name == RELU:
            layer = keras.layers.ReLU()
        else:
            package = layers if whose == OURS else keras.layers
            layer = getattr(package, name)(*DROP_INS[name], seed=0)
        yield mode, _PASSES[backend](layer, ops.convert_to_tensor(x), jit)


def _call(layer, x):
    if isinstance(layer, keras.layers.ReLU):
        return layer(x)
    return layer(x, training=True)


def _on_tensorflow(layer, x, jit):
    import tensorflow as tf

    @tf.function(jit_compile=jit)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = _call(layer, x)
        # Both, or the one that is not asked for would not be computed.
        return y, tape.gradient(y, x, output_gradients=x)

    return functools.partial(step, x)


def _on_jax(layer, x, jit):
    import jax

    if not layer.built:
        layer.build(x.shape)
    states = [v.value for v in layer.non_trainable_variables]

    @jax.jit
    def step(states, x):
        def call(x):
            return layer.stateless_call([], states, x, **_training(layer))

        y, back, states = jax.vjp(call, x, has_aux=True)
        return y, back(x)[0], states

    return lambda: jax.block_until_ready(step(states, x))


def _training(layer):
    return {} if isinstance(layer, keras.layers.ReLU) else {"training": True}


def _on_torch(layer, x, jit):
    def step():
        leaf = x.detach().requires_grad_()
        _call(layer, leaf).backward(x)

    return step


_PASSES = {
    "tensorflow": _on_tensorflow,
    "jax": _on_jax,
    "torch": _on_torch,
}

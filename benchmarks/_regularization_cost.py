"""What the workers of bench_regularization.py time: whole train steps."""

import functools

import keras
import numpy as np
from _regularization_networks import convolutional, dense
from _regularization_techniques import TECHNIQUES

from keras_regopt import layers

BATCH = 32
SAMPLES = 20
MODES = {
    "tensorflow": {"TF graph": False, "TF jit": True},
    "jax": {"JAX": True},
    "torch": {"torch": False},
}
SHAPES = {"conv": (32, 32, 3), "dense": (256,)}
NETWORKS = {
    "conv": functools.partial(convolutional, units=10, filters=32),
    "dense": functools.partial(dense, units=10, width=256, depth=20),
}


def steps(backend, name, network):
    """A contender, in all modes of a backend.

    Args:
        backend: A backend of Keras.
        name: The name of a technique, or `("passes", how)`.
        network: The name of a network.

    Yields:
        (mode, function without arguments).
    """
    if isinstance(name, tuple):
        yield from passes(backend, name[1])
        return
    technique = TECHNIQUES[name]
    strength = technique.strengths[len(technique.strengths) // 2]
    for mode, jit in MODES[backend].items():
        keras.utils.set_random_seed(0)
        shape = SHAPES[network]
        model = NETWORKS[network]([(technique, strength)], shape=shape)
        model.compile(
            keras.optimizers.SGD(1e-3),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit,
        )
        random = np.random.default_rng(0)
        x = random.standard_normal((BATCH, *shape), "float32")
        y = random.integers(0, 10, BATCH)
        yield mode, functools.partial(model.train_on_batch, x, y)


def passes(backend, how):
    """Twenty random passes through a small net: a loop, or one call."""
    for mode, jit in MODES[backend].items():
        keras.utils.set_random_seed(0)
        net = keras.Sequential(
            [
                keras.Input((32,)),
                keras.layers.Dense(64, "relu"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(1),
            ]
        )
        x = np.random.default_rng(0).standard_normal((BATCH, 32), "float32")
        if how == "loop":
            yield mode, functools.partial(in_a_loop, net, x)
            continue
        model = keras.Sequential(
            [keras.Input((32,)), layers.MonteCarlo(net, samples=SAMPLES)]
        )
        model.compile(jit_compile=jit)
        yield mode, functools.partial(model.predict_on_batch, x)


def in_a_loop(net, x):
    """What one writes without the layer: mean and std of many calls."""
    outputs = [
        keras.ops.convert_to_numpy(net(x, training=True))
        for _ in range(SAMPLES)
    ]
    return np.mean(outputs, 0), np.std(outputs, 0)

"""Data and network of bench_study.py: parts of MNIST, a small residual net."""

import keras
import numpy as np
from _regularization_networks import Builder

k = keras.layers

BATCH = 32
CLASSES = 10
# Drawn once, from other images than those that are trained with.
DEV, TEST = 2000, 5000
# Images of which the dev accuracy is taken on the way, in POINTS equal steps.
ON_THE_WAY = 500
POINTS = 10
# Train steps by the number of images to train with, the same for everyone.
STEPS = {500: 300, 5000: 1000, 58000: 3000}


class Task:
    """A size of training set; each seed draws its own from the same images.

    Args:
        size: Images to train with.
        path: Keras' file `mnist.npz`; `None` lets Keras download it.
    """

    def __init__(self, size, path=None):
        (x, y), (x_test, y_test) = loaded(path)
        random = np.random.default_rng(0)
        order = random.permutation(len(x))
        self.size = size
        self.steps = STEPS[size]
        # A dict: seed to the weights that a net without techniques starts from.
        self.starts = {}
        self.pool = x[order[DEV:]], one_hot(y[order[DEV:]])
        self.dev = scaled(x[order[:DEV]]), y[order[:DEV]]
        rows = random.permutation(len(x_test))[:TEST]
        self.test = scaled(x_test[rows]), y_test[rows]

    def batches(self, seed):
        """Images of bytes and one-hot labels of each step, in epochs."""
        random = np.random.default_rng(seed)
        x, y = self.pool
        rows = random.permutation(len(x))[: self.size]
        count = self.size // BATCH
        epochs = [
            random.permutation(rows)[: count * BATCH]
            for _ in range(-(-self.steps // count))
        ]
        batches = np.concatenate(epochs).reshape(-1, BATCH)[: self.steps]
        return ((x[batch], y[batch]) for batch in batches)


def loaded(path):
    """The images, with one channel, and the labels."""
    if path is None:
        parts = keras.datasets.mnist.load_data()
    else:
        with np.load(path) as file:
            parts = [
                [file[f"{name}_{part}"] for name in "xy"]
                for part in ("train", "test")
            ]
    return [(x[..., None], y.astype("int32")) for x, y in parts]


def one_hot(labels):
    return np.eye(CLASSES, dtype="float32")[labels]


def scaled(images):
    """Bytes as numbers from 0 to 1."""
    return np.asarray(images, "float32") / 255


def network(chosen, seed):
    """A net of three convolutions and two dense layers, 30,000 weights.

    Args:
        chosen: A list of pairs of a `Technique` and a strength.
        seed: Seed of the initial weights.
    """
    keras.utils.set_random_seed(seed)
    builder = Builder(chosen, seed)

    def conv(x, count, width, strides=1):
        layer = builder.with_kernel(
            k.Conv2D,
            count,
            width,
            strides=strides,
            padding="same",
            fan_in=width**2 * x.shape[-1],
            rank=4,
        )
        return layer(x)

    inputs = keras.Input((28, 28, 1))
    x = builder.finish(conv(inputs, 8, 5, strides=2))
    x = builder.finish(conv(x, 16, 3, strides=2), "hidden_1")
    x = builder.residual(x, builder.finish(conv(x, 16, 3), "hidden_2"))
    x = k.Flatten()(x)
    x = builder.with_kernel(k.Dense, 32, fan_in=x.shape[-1], rank=2)(x)
    model = keras.Model(inputs, builder.logits(builder.finish(x), CLASSES))
    return builder.wrapped(model)

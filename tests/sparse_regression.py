"""A regression whose solution has many zeros, and a model fitted to it."""

import keras
import numpy as np


def regression():
    """Twelve inputs, of which nine have nothing to do with the target."""
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 12)).astype("float32")
    noise = random.normal(size=60)
    y = 3 * x[:, 0] - 2 * x[:, 1] + x[:, 2] + 0.1 * noise
    return x, y.astype("float32")


def fitted(optimizer, steps, units=1, **options):
    """Kernel and bias after full-batch steps on the regression."""
    x, y = regression()
    y = np.stack([y] * units, -1)
    options = {"kernel_initializer": "ones", **options}
    layer = keras.layers.Dense(units, **options)
    model = keras.Sequential([keras.Input((12,)), layer])
    model.compile(optimizer, "mse")
    # One epoch of equal batches is far quicker than many of one batch.
    model.fit(
        np.tile(x, (steps, 1)),
        np.tile(y, (steps, 1)),
        batch_size=len(x),
        shuffle=False,
        verbose=0,
    )
    return [keras.ops.convert_to_numpy(w) for w in layer.weights]

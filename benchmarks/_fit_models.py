"""The models and data that bench_fit.py trains, and their trainings."""

import functools

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_regopt

k = keras.layers
BATCH = 32
WORDS, LENGTH = 20_000, 40
MODES = {
    "tensorflow graph": ("TF graph", False),
    "tensorflow jit": ("TF jit", True),
    "jax": ("JAX", True),
    "torch": ("torch", False),
}
KERAS, OURS = "Keras", "keras_regopt"


class Parts:
    """Where the layers and optimizers of a contender come from.

    Args:
        contender: `KERAS` or `OURS`.
    """

    def __init__(self, contender):
        self.is_ours = contender == OURS
        self._optimizers = (keras_regopt if self.is_ours else keras).optimizers

    def dropout(self, rate):
        source = keras_regopt.layers if self.is_ours else k
        return getattr(source, "Dropout", k.Dropout)(rate)

    def optimizer(self, name, *arguments, lazy=False, **options):
        # Elsewhere, the gradients of embeddings are dense.
        if lazy and self.is_ours and keras.backend.backend() == "tensorflow":
            options["lazy"] = True
        return getattr(self._optimizers, name)(*arguments, **options)


def mlp(parts, shape):
    """Three dense layers with dropout."""
    model = keras.Sequential([keras.Input(shape), k.Flatten()])
    for _ in range(2):
        model.add(k.Dense(512, "relu"))
        model.add(parts.dropout(0.5))
    model.add(k.Dense(10))
    return model, parts.optimizer("Adam", 1e-3)


def convolutional(parts, shape):
    """Two convolutions and two dense layers, with dropout after each."""
    model = keras.Sequential([keras.Input(shape)])
    for filters in (16, 32):
        model.add(k.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(k.MaxPooling2D())
        model.add(parts.dropout(0.25))
    for layer in (k.Flatten(), k.Dense(64, "relu"), parts.dropout(0.5)):
        model.add(layer)
    model.add(k.Dense(10))
    return model, parts.optimizer("RMSprop", 1e-3)


def residual(parts, shape):
    """Three residual blocks of convolutions with batch normalization."""
    inputs = keras.Input(shape)
    x = k.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        branch = x
        for stride in (strides, 1):
            branch = k.ReLU()(k.BatchNormalization()(branch))
            branch = k.Conv2D(
                filters, 3, stride, padding="same", use_bias=False
            )(branch)
        x = k.Add()([k.Conv2D(filters, 1, strides)(x), branch])
    x = k.GlobalAveragePooling2D()(k.ReLU()(k.BatchNormalization()(x)))
    model = keras.Model(inputs, k.Dense(10)(x))
    options = {"momentum": 0.9, "weight_decay": 1e-4}
    return model, parts.optimizer("SGD", 0.05, **options)


def embedding(parts, shape):
    """The mean of the embeddings of words, of which a batch has few."""
    layers = [
        keras.Input(shape),
        k.Embedding(WORDS, 64),
        k.GlobalAveragePooling1D(),
        k.Dense(64, "relu"),
        parts.dropout(0.3),
        k.Dense(10),
    ]
    return keras.Sequential(layers), parts.optimizer("Adam", 1e-3, lazy=True)


class Positions(k.Layer):
    """Adds a vector to each position, which is trained."""

    def build(self, input_shape):
        self.vectors = self.add_weight(input_shape[1:], "random_normal")

    def call(self, inputs):
        return inputs + self.vectors


def transformer(parts, shape):
    """Two blocks of attention over words."""
    inputs = keras.Input(shape)
    x = parts.dropout(0.1)(Positions()(k.Embedding(2_000, 64)(inputs)))
    for _ in range(2):
        y = k.LayerNormalization()(x)
        y = k.MultiHeadAttention(4, 16)(y, y)
        x = k.Add()([x, parts.dropout(0.1)(y)])
        y = k.Dense(256, "gelu")(k.LayerNormalization()(x))
        x = k.Add()([x, parts.dropout(0.1)(k.Dense(64)(y))])
    x = k.GlobalAveragePooling1D()(k.LayerNormalization()(x))
    model = keras.Model(inputs, k.Dense(10)(x))
    return model, parts.optimizer("AdamW", 1e-3, weight_decay=1e-2)


MODELS = {
    "MLP with dropout": mlp,
    "conv net with dropout": convolutional,
    "residual net with batch normalization": residual,
    "embedding classifier, lazy rows": embedding,
    "small transformer": transformer,
}


def data_for(name, batches, mnist=None):
    """Inputs and labels of an epoch.

    Args:
        name: A key of `MODELS`.
        batches: How many batches there shall be.
        mnist: Path of Keras' file `mnist.npz`, instead of which scikit-learn's
            digits are enlarged.
    """
    count = batches * BATCH
    random = np.random.default_rng(0)
    if MODELS[name] in (embedding, transformer):
        labels = random.integers(0, 10, count)
        words = random.zipf(1.2, (count, LENGTH)) * 10
        # Some of the words tell the label.
        words += labels[:, None] * (random.random(words.shape) < 0.3)
        size = WORDS if MODELS[name] is embedding else 2_000
        return (words % size).astype("int32"), labels
    if mnist:
        with np.load(mnist) as file:
            x, y = file["x_train"] / 255, file["y_train"]
    else:
        digits = load_digits()
        # To about the size of those of MNIST.
        x, y = np.kron(digits.images / 16, np.ones((3, 3))), digits.target
    chosen = random.permutation(len(x))[np.arange(count) % len(x)]
    return x[chosen, ..., None].astype("float32"), y[chosen].astype("int64")


def steps(worker, contender, name, batches, mnist):
    """What a worker times: an epoch of `fit`.

    Args:
        worker: A key of `MODES`.
        contender: `KERAS` or `OURS`.
        name: A key of `MODELS`.
        batches: Batches of an epoch; one measures the first step.
        mnist: As of `data_for`.

    Yields:
        (mode, function without arguments).
    """
    mode, jit = MODES[worker]
    warm_up(jit)
    keras.utils.set_random_seed(0)
    x, y = data_for(name, batches, mnist)
    model, optimizer = MODELS[name](Parts(contender), x.shape[1:])
    model.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=jit,
    )
    options = {"batch_size": BATCH, "verbose": 0}
    yield mode, functools.partial(model.fit, x, y, **options)


@functools.cache
def warm_up(jit):
    """Lets the backend load what the first program of all needs."""
    model = keras.Sequential([keras.Input((1,)), k.Dense(1)])
    model.compile("sgd", "mse", jit_compile=jit)
    model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)

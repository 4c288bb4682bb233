"""Healthy models, and models with a planted fault, for the checks."""

import functools

import keras
import numpy as np
from keras import layers, ops
from sklearn import datasets

from keras_regopt.callbacks import find_learning_rate
from keras_regopt.diagnosis import split


class Case:
    """A model, its data, and what else `check` takes."""

    def __init__(self, model, parts, **options):
        self.model = model
        self.x, self.y = parts.train
        self.options = {"dev": parts.dev, **options}


@functools.cache
def digits():
    x, y = datasets.load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y


@functools.cache
def cancer():
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x.astype("float32"), y


@functools.cache
def diabetes():
    x, y = datasets.load_diabetes(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = (y - y.mean()) / y.std()
    return x.astype("float32"), y.astype("float32")[:, None]


@functools.cache
def sequences():
    """Whether a wave rises faster than another: phase is of no help."""
    random = np.random.default_rng(7)
    rate = random.uniform(0.3, 1.2, (600, 1))
    phase = random.uniform(0, 6.28, (600, 1))
    x = np.sin(rate * np.arange(12) + phase)[..., None]
    return x.astype("float32"), (rate[:, 0] > 0.75).astype(int)


@functools.cache
def tokens():
    """Texts whose class is that of most of their words."""
    random = np.random.default_rng(8)
    y = random.integers(0, 3, 600)
    own = random.integers(0, 8, (600, 10)) + 1 + 8 * y[:, None]
    other = random.integers(1, 25, (600, 10))
    return np.where(random.uniform(size=own.shape) < 0.5, own, other), y


def parts(data, seed, stratify=True):
    x, y = data()
    return split(x, y, (0.7, 0.2, 0.1), stratify=stratify, seed=seed)


def classifier(*inner, classes=10, shape=(64,), optimizer=None, loss=None):
    model = keras.Sequential([keras.Input(shape), *inner])
    if classes:
        model.add(layers.Dense(classes, "softmax", dtype="float32"))
    model.compile(
        optimizer or keras.optimizers.Adam(1e-3),
        loss or "sparse_categorical_crossentropy",
    )
    return model


def mlp(seed):
    model = classifier(
        layers.Dense(64, "relu"), layers.Dropout(0.3), layers.Dense(64, "relu")
    )
    return Case(model, parts(digits, seed))


def table(seed):
    model = classifier(
        layers.Dense(16, "tanh", kernel_regularizer="l2"),
        layers.Dense(1, "sigmoid"),
        classes=0,
        shape=(30,),
        loss="binary_crossentropy",
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
    )
    return Case(model, parts(cancer, seed))


def regression(seed):
    model = classifier(
        layers.Dense(32, "relu"),
        layers.Dense(1),
        classes=0,
        shape=(10,),
        loss="mse",
    )
    return Case(model, parts(diabetes, seed, None))


def conv(seed):
    model = classifier(
        layers.Reshape((8, 8, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Flatten(),
    )
    return Case(model, parts(digits, seed))


def residual(seed):
    inputs = keras.Input((64,))
    h = layers.Reshape((8, 8, 1))(inputs)
    h = layers.Conv2D(8, 3, padding="same", use_bias=False)(h)
    for _ in range(2):
        branch = layers.BatchNormalization()(h)
        branch = layers.ReLU()(branch)
        branch = layers.Conv2D(8, 3, padding="same", use_bias=False)(branch)
        branch = layers.BatchNormalization(gamma_initializer="zeros")(branch)
        h = layers.add([h, branch])
    h = layers.GlobalAveragePooling2D()(layers.ReLU()(h))
    model = keras.Model(inputs, layers.Dense(10)(h))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
    return Case(model, parts(digits, seed))


def recurrent(seed):
    model = classifier(layers.LSTM(16), classes=2, shape=(12, 1))
    return Case(model, parts(sequences, seed))


def attention(seed):
    inputs = keras.Input((10,), dtype="int32")
    h = layers.Embedding(25, 16)(inputs)
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 8)(h, h))
    h = layers.LayerNormalization()(
        h + layers.Dense(16)(layers.Dense(32, "gelu")(h))
    )
    h = layers.GlobalAveragePooling1D()(h)
    model = keras.Model(inputs, layers.Dense(3, "softmax")(h))
    model.compile(
        keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy"
    )
    return Case(model, parts(tokens, seed))


def half(seed):
    model = classifier(
        layers.Dense(64, "relu", dtype="mixed_float16"),
        layers.Dense(64, "relu", dtype="mixed_float16"),
    )
    return Case(model, parts(digits, seed))


def normalized(seed):
    model = classifier(
        layers.Rescaling(16.0),
        layers.Dense(64, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dropout(0.5),
        layers.Dense(32, "sigmoid"),
    )
    return Case(model, parts(digits, seed))


def two_inputs(seed):
    (x, y), p = diabetes(), None
    p = split(
        {"left": x[:, :5], "right": x[:, 5:]},
        y,
        (0.7, 0.2, 0.1),
        seed=seed,
    )
    left, right = (
        keras.Input((5,), name="left"),
        keras.Input((5,), name="right"),
    )
    h = layers.concatenate(
        [layers.Dense(8, "relu")(left), layers.Dense(8, "relu")(right)]
    )
    model = keras.Model({"left": left, "right": right}, layers.Dense(1)(h))
    model.compile("rmsprop", "mae")
    return Case(model, p)


HEALTHY = {
    f.__name__: f
    for f in (
        mlp,
        table,
        regression,
        conv,
        residual,
        recurrent,
        attention,
        half,
        normalized,
        two_inputs,
    )
}


def trained(case, epochs=8):
    case.model.fit(case.x, case.y, epochs=epochs, verbose=0)
    return case


# The same after a training.
TRAINED = {
    f"{name}_trained": lambda seed, made=made: trained(made(seed), 6)
    for name, made in HEALTHY.items()
}

# By name: the check that must find it, and a function of a seed.
PLANTED = {}


def planted(check):
    def entered(function):
        PLANTED[function.__name__] = check, function
        return function

    return entered


def shallow(*inner, rate=1e-3, loss=None, last="softmax", **options):
    return classifier(
        *inner,
        layers.Dense(32, "relu"),
        layers.Dense(10, last),
        classes=0,
        loss=loss,
        optimizer=keras.optimizers.Adam(rate),
        **options,
    )


@planted("initial_loss")
def softmax_twice(seed):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Case(shallow(loss=loss), parts(digits, seed))


@planted("initial_loss")
def two_softmax_layers(seed):
    model = classifier(layers.Dense(32, "relu"), layers.Dense(10, "softmax"))
    model.add(layers.Softmax())
    model.compile("adam", "sparse_categorical_crossentropy")
    return Case(model, parts(digits, seed))


@planted("initial_loss")
def logits_as_probabilities(seed):
    return Case(shallow(last=None), parts(digits, seed))


@planted("initial_loss")
def unscaled_targets(seed):
    case = regression(seed)
    case.y = 40 * case.y + 500
    return case


@planted("one_batch")
def narrow_and_frozen(seed):
    model = shallow()
    for layer in model.layers:
        layer.trainable = False
    model.add(layers.Dense(10, "softmax", use_bias=True, trainable=True))
    model.compile("adam", "sparse_categorical_crossentropy")
    # Behind a frozen softmax nothing can be told apart.
    return Case(model, parts(digits, seed))


@planted("one_batch")
def no_way_back(seed):
    inputs = keras.Input((64,))
    h = ops.stop_gradient(layers.Dense(2, "relu")(inputs))
    model = keras.Model(inputs, layers.Dense(10, "softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Case(model, parts(digits, seed))


@planted("frozen")
def frozen_before_loading(seed):
    model = shallow()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return Case(model, parts(digits, seed))


@planted("unused_inputs")
def inputs_lost(seed):
    return Case(shallow(layers.Rescaling(0.0)), parts(digits, seed))


@planted("unused_inputs")
def one_input_lost(seed):
    case = two_inputs(seed)
    inputs = case.model.input
    h = layers.Dense(8, "relu")(inputs["left"])
    case.model = keras.Model(
        inputs, layers.Dense(1)(h + 0 * ops.sum(inputs["right"]))
    )
    case.model.compile("adam", "mse")
    return case


@planted("signal")
def shuffled_labels(seed):
    case = mlp(seed)
    case.y = np.random.RandomState(seed).permutation(case.y)
    return case


@planted("signal")
def shuffled_numbers(seed):
    case = regression(seed)
    case.y = np.random.RandomState(seed).permutation(case.y)
    return case


@planted("data")
def missing_values(seed):
    case = table(seed)
    case.x = case.x.copy()
    case.x[np.random.RandomState(seed).randint(len(case.x)), 3] = np.nan
    return case


@planted("data")
def unscaled_images(seed):
    case = conv(seed)
    case.x = (255 * case.x).astype("uint8").reshape(-1, 8, 8, 1)
    x, y = case.options["dev"]
    case.options["dev"] = (255 * x).reshape(-1, 8, 8, 1), y
    case.model = classifier(
        layers.Flatten(), layers.Dense(32, "relu"), shape=(8, 8, 1)
    )
    return case


@planted("data")
def unscaled_columns(seed):
    case = table(seed)
    case.x = case.x * np.where(np.arange(30) == 4, 1e4, 1)
    return case


@planted("data")
def labels_from_one(seed):
    case = mlp(seed)
    case.y = case.y + 1
    return case


@planted("data")
def numbers_as_labels(seed):
    case = mlp(seed)
    case.y = case.y + np.random.RandomState(seed).uniform(size=len(case.y))
    return case


@planted("data")
def class_missing_in_dev(seed):
    case = mlp(seed)
    x, y = case.options["dev"]
    case.options["dev"] = x[y != seed % 10], y[y != seed % 10]
    return case


@planted("data")
def two_classes_as_plus_minus(seed):
    case = table(seed)
    case.y = 2 * case.y - 1
    return case


@planted("leakage")
def copied_rows(seed):
    case = mlp(seed)
    x, y = case.options["dev"]
    n = len(x) // 10
    case.options["dev"] = (
        np.concatenate([x[n:], case.x[:n]]),
        np.concatenate([y[n:], case.y[:n]]),
    )
    return case


@planted("leakage")
def near_copies(seed):
    case = table(seed)
    x, y = case.options["dev"]
    noise = np.random.RandomState(seed).normal(size=(len(x) // 3, 30))
    n = len(noise)
    case.options["dev"] = (
        np.concatenate([x[n:], case.x[:n] + 1e-3 * noise]),
        np.concatenate([y[n:], case.y[:n]]),
    )
    return case


@planted("leakage")
def telling_column(seed):
    case = table(seed)
    noise = np.random.RandomState(seed).normal(size=len(case.y))
    case.x = case.x.copy()
    case.x[:, 7] = 3 * case.y + 0.1 * noise
    return case


@planted("mismatch")
def other_camera(seed):
    case = mlp(seed)
    x, y = case.options["dev"]
    case.options["dev"] = np.clip(0.8 * x + 0.1, 0, 1), y
    return case


@planted("mismatch")
def shifted_column(seed):
    case = regression(seed)
    x, y = case.options["dev"]
    case.options["dev"] = x + np.where(np.arange(10) == 2, 1.5, 0), y
    return case


def with_rate(case, factor):
    optimizer = case.model.optimizer
    optimizer.learning_rate = float(optimizer.learning_rate) * factor
    return case


def around_the_found(case, factor):
    """The rate of `find_learning_rate`, times a factor."""
    found = find_learning_rate(case.model, case.x, case.y)
    case.model.optimizer.learning_rate = factor * found.suggestion
    return case


@planted("learning_rate")
def found_rate_times_100_adam(seed):
    return around_the_found(mlp(seed), 100)


@planted("learning_rate")
def found_rate_over_1000_adam(seed):
    return around_the_found(mlp(seed), 1 / 1000)


@planted("learning_rate")
def found_rate_times_100_sgd(seed):
    return around_the_found(table(seed), 100)


@planted("learning_rate")
def found_rate_over_1000_sgd(seed):
    return around_the_found(table(seed), 1 / 1000)


@planted("learning_rate")
def rate_too_high_adam(seed):
    return with_rate(mlp(seed), 100)


@planted("learning_rate")
def rate_too_low_adam(seed):
    return with_rate(mlp(seed), 1 / 1000)


@planted("learning_rate")
def rate_too_high_sgd(seed):
    return with_rate(table(seed), 100)


@planted("learning_rate")
def rate_too_low_sgd(seed):
    return with_rate(residual(seed), 1 / 1000)


@planted("gradients")
def vanishing(seed):
    inner = [layers.Dense(32, "sigmoid") for _ in range(12)]
    return Case(classifier(*inner), parts(digits, seed))


@planted("gradients")
def exploding(seed):
    wide = keras.initializers.RandomNormal(stddev=2.0)
    inner = [
        layers.Dense(32, "relu", kernel_initializer=wide) for _ in range(5)
    ]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = classifier(*inner, layers.Dense(10), classes=0, loss=loss)
    return Case(model, parts(digits, seed))


@planted("gradients")
def cut_off(seed):
    inputs = keras.Input((64,))
    h = ops.stop_gradient(layers.Dense(64, "relu")(inputs))
    model = keras.Model(inputs, layers.Dense(10, "softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return Case(model, parts(digits, seed))


@planted("units")
def dead(seed):
    case = mlp(seed)
    layer = case.model.layers[0]
    layer.bias.assign(np.full(64, -20.0))
    return case


@planted("units")
def saturated(seed):
    model = classifier(layers.Rescaling(300.0), layers.Dense(64, "tanh"))
    return Case(model, parts(digits, seed))


def flipped(y, share, seed):
    """Labels of which a part is another class, and which."""
    random = np.random.RandomState(seed)
    rows = random.permutation(len(y))[: round(share * len(y))]
    noisy = y.copy()
    noisy[rows] = (y[rows] + random.randint(1, 10, len(rows))) % 10
    return noisy, rows


@planted("label_noise")
def flipped_labels(seed):
    case = mlp(seed)
    case.y, _ = flipped(case.y, 0.05, seed)
    return case


@planted("slices")
def worse_group(seed):
    case = trained(mlp(seed))
    x, y = case.options["dev"]
    random = np.random.RandomState(seed)
    group = random.randint(0, 4, len(y))
    noise = random.normal(size=x.shape)
    case.options["dev"] = np.where(group[:, None] == 2, x + noise, x), y
    case.options["groups"] = group
    return case


@planted("calibration")
def too_sure(seed):
    case = trained(mlp(seed), 3)
    kernel, bias = case.model.layers[-1].get_weights()
    case.model.layers[-1].set_weights([30 * kernel, 30 * bias])
    # Rows that are hard enough for mistakes.
    x, y = case.options["dev"]
    noise = np.random.RandomState(seed).normal(size=x.shape)
    case.options["dev"] = x + 0.3 * noise, y
    return case


@planted("batch_size")
def alike_rows(seed):
    case = table(seed)
    case.x, case.y = np.tile(case.x[:1], (500, 1)), np.tile(case.y[:1], 500)
    case.x = case.x + 1e-2 * np.random.RandomState(seed).normal(
        size=case.x.shape
    )
    case.options["batch_size"] = 256
    return case

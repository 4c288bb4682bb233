"""Functions to minimize, as stand-ins for trainings, and one training.

The optimum of the functions is 0, that of the training is not known.

A space is a function of Keras Tuner's `HyperParameters`, so that every search
engine sees the same one.
"""

import functools

import keras
import numpy as np
import sklearn.datasets


def branin(values):
    x, y = values["x"], values["y"]
    bend = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10 - 0.397887


def branin_space(hp):
    hp.Float("x", -5.0, 10.0)
    hp.Float("y", 0.0, 15.0)


_WIDTHS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_CENTERS = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(values):
    x = np.array([values[f"x{i}"] for i in range(6)])
    heights = np.exp(-np.sum(_WIDTHS * (x - _CENTERS) ** 2, axis=1))
    return 3.32237 - np.array([1, 1.2, 3, 3.2]) @ heights


def hartmann6_space(hp):
    for i in range(6):
        hp.Float(f"x{i}", 0.0, 1.0)


def rosenbrock4(values):
    x = np.array([values[f"x{i}"] for i in range(4)])
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock4_space(hp):
    for i in range(4):
        hp.Float(f"x{i}", -2.0, 2.0)


def conditional(values):
    """An optimizer, layers and a penalty, with what only some of them have."""
    optimizer, layers = values["optimizer"], values["layers"]
    loss = {"sgd": 0.25, "adam": 0.0, "lion": 0.12}[optimizer]
    best_rate = {"sgd": -1.0, "adam": -2.7, "lion": -3.6}[optimizer]
    loss += 0.15 * (np.log10(values["rate"]) - best_rate) ** 2
    if optimizer == "sgd":
        loss += 2 * (values["momentum"] - 0.9) ** 2
    if optimizer == "adam":
        loss += 0.05 * (np.log10(1 - values["beta_2"]) + 2.2) ** 2
    loss += {1: 0.2, 2: 0.0, 3: 0.05}[layers]
    for i in range(layers):
        loss += 0.06 * (np.log2(values[f"units{i}"]) - 6 - i / 2) ** 2
    if values["penalty"] == "l2":
        return loss + 0.04 * (np.log10(values["l2"]) + 4) ** 2
    if values["penalty"] == "none":
        return loss + 0.1
    return loss + 0.05 + 1.5 * (values["dropout"] - 0.3) ** 2


def conditional_space(hp):
    hp.Choice("optimizer", ["sgd", "adam", "lion"])
    hp.Float("rate", 1e-5, 1.0, sampling="log")
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.0, 0.99)
    with hp.conditional_scope("optimizer", ["adam"]):
        hp.Float("beta_2", 0.9, 0.9999)
    hp.Choice("layers", [1, 2, 3])
    for i in range(3):
        with hp.conditional_scope("layers", list(range(i + 1, 4))):
            hp.Int(f"units{i}", 8, 512, sampling="log")
    hp.Choice("penalty", ["none", "l2", "dropout"])
    with hp.conditional_scope("penalty", ["l2"]):
        hp.Float("l2", 1e-7, 1e-1, sampling="log")
    with hp.conditional_scope("penalty", ["dropout"]):
        hp.Float("dropout", 0.0, 0.8)


@functools.cache
def _digits():
    """600 digits to train on, and 1,197 to score by."""
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order]
    return (x[:600], y[:600]), (x[600:], y[600:])


def digits(values):
    """The loss of a small network on other digits, after 12 epochs."""
    train, dev = _digits()
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                values["units"],
                activation="relu",
                kernel_regularizer=keras.regularizers.L2(values["l2"]),
            ),
            keras.layers.Dropout(values["dropout"]),
            keras.layers.Dense(10),
        ]
    )
    optimizer = keras.optimizers.Adam(values["rate"], beta_1=values["beta_1"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=[loss])
    model.fit(*train, epochs=12, batch_size=50, verbose=0)
    # Without the penalty.
    return model.evaluate(*dev, batch_size=1197, verbose=0)[1]


def digits_space(hp):
    hp.Float("rate", 1e-5, 1.0, sampling="log")
    hp.Float("beta_1", 0.0, 0.99)
    hp.Int("units", 8, 256, sampling="log")
    hp.Float("dropout", 0.0, 0.8)
    hp.Float("l2", 1e-7, 1e-1, sampling="log")


PROBLEMS = {
    "Branin": (branin, branin_space),
    "Hartmann6": (hartmann6, hartmann6_space),
    "Rosenbrock-4": (rosenbrock4, rosenbrock4_space),
    "conditional": (conditional, conditional_space),
    "digits": (digits, digits_space),
}

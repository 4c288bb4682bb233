"""Draws what the pages in docs/concepts show, from the library itself.

Here are those of how a model learns; `concept_data_pictures` has the others.
"""

import pathlib

import concept_data_pictures
import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_regopt as kr

STEPS = 40


def draw(directory):
    """Writes the pictures into a directory, which is made if it is missing."""
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    for draw_one in (*PICTURES, *concept_data_pictures.PICTURES):
        figure = draw_one()
        figure.savefig(directory / f"concept_{draw_one.__name__}.svg")
        plt.close(figure)


def averages():
    """A noisy sequence and its averages, with and without the correction."""
    values = 1 + np.random.default_rng(0).normal(0, 0.3, STEPS)
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    ax.plot(values, ".", color="0.6", label="values")
    for corrected, style in ((False, "--"), (True, "-")):
        average, curve = 0.0, []
        for step, value in enumerate(values, 1):
            average = 0.9 * average + 0.1 * value
            weight = 1 - 0.9**step if corrected else 1
            curve.append(average / weight)
        label = "corrected" if corrected else "begun at zero"
        ax.plot(curve, style, label=label)
    ax.set(xlabel="step", ylim=(0, 2))
    ax.legend(frameon=False)
    return figure


def descent():
    """Paths of optimizers on one narrow valley, from one start."""
    figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    contours(ax, (-4.5, 1), (-2, 2), lambda x, y: 0.5 * x**2 + 5 * y**2)
    for name, optimizer in (
        ("SGD", kr.optimizers.SGD(0.18)),
        ("SGD, momentum 0.7", kr.optimizers.SGD(0.05, momentum=0.7)),
        ("Adam", kr.optimizers.Adam(0.3)),
    ):
        path = path_of(optimizer, (-4.0, 1.5), lambda w: w * [1.0, 10.0])
        ax.plot(*path.T, ".-", markersize=4, label=name)
    ax.legend(frameon=False)
    return figure


def momentum():
    """The distance to the minimum of a narrow valley, by step."""
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for value in (0.0, 0.5, 0.8, 0.95):
        optimizer = kr.optimizers.SGD(0.02, momentum=value)
        path = path_of(optimizer, (-4.0, 1.5), lambda w: w * [1.0, 10.0], 80)
        ax.semilogy(np.linalg.norm(path, axis=1), label=f"momentum {value}")
    ax.set(xlabel="step", ylabel="distance to the minimum")
    ax.legend(frameon=False)
    return figure


def plateaus():
    """The loss that begins next to a saddle point, by step."""
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for name, optimizer in (
        ("SGD", kr.optimizers.SGD(0.1)),
        ("SGD, momentum 0.9", kr.optimizers.SGD(0.1, momentum=0.9)),
        ("Adam", kr.optimizers.Adam(0.1)),
    ):
        start = (1.0, 1e-6)
        path = path_of(
            optimizer, start, lambda w: np.array([w[0], w[1] ** 3 - w[1]]), 250
        )
        x, y = path.T
        ax.plot(x**2 / 2 - y**2 / 2 + y**4 / 4, label=name)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend(frameon=False)
    return figure


def normalizing_inputs():
    """Paths of a regression on two columns, as they are and normalized."""
    random = np.random.default_rng(0)
    columns = random.normal(0, (1.0, 4.0), (200, 2))
    target = columns @ [2.0, 0.5]
    figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
    for ax, x, rate, title in (
        (axes[0], columns, 0.06, "columns of two scales"),
        (axes[1], columns / columns.std(axis=0), 0.4, "normalized"),
    ):
        moments, slope = x.T @ x / len(x), x.T @ target / len(x)
        best = np.linalg.solve(moments, slope)
        path = path_of(
            kr.optimizers.SGD(rate),
            best - 2,
            lambda w, moments=moments, slope=slope: moments @ w - slope,
        )

        def loss(a, b, moments=moments, best=best):
            a, b = a - best[0], b - best[1]
            cross = 2 * moments[0, 1] * a * b
            return moments[0, 0] * a**2 + cross + moments[1, 1] * b**2

        a, b = best
        contours(ax, (a - 3, a + 2), (b - 3, b + 3), loss)
        ax.plot(*path.T, ".-", markersize=4)
        ax.plot(*best, "k+")
        ax.set_title(title)
    return figure


def batch_normalization():
    """How far activations spread in each layer of a deep random net."""
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for normalized, label in ((False, "without"), (True, "normalized")):
        random = np.random.default_rng(0)
        x, spread = random.normal(size=(256, 64)).astype("float32"), []
        for _ in range(20):
            x = x @ random.normal(0, 0.12, (64, 64)).astype("float32")
            if normalized:
                layer = kr.layers.GhostBatchNormalization(64)
                x = keras.ops.convert_to_numpy(layer(x, training=True))
            x = np.maximum(x, 0)
            spread.append(x.std())
        ax.semilogy(range(1, 21), spread, ".-", label=label)
    ax.set(xlabel="layer", ylabel="standard deviation")
    ax.legend(frameon=False)
    return figure


def contours(ax, x_range, y_range, loss):
    """Draws the lines of equal loss."""
    x, y = np.meshgrid(np.linspace(*x_range, 80), np.linspace(*y_range, 60))
    ax.contour(x, y, loss(x, y), levels=12, colors="0.8")


def path_of(optimizer, start, slope, steps=STEPS):
    """The points that an optimizer comes to, as an array of rows."""
    point = keras.Variable(np.array(start, "float32"))
    path = [np.array(start, "float32")]
    for _ in range(steps):
        gradient = np.asarray(slope(path[-1]), "float32")
        gradient = keras.ops.convert_to_tensor(gradient)
        optimizer.apply_gradients([(gradient, point)])
        path.append(keras.ops.convert_to_numpy(point).copy())
    return np.array(path)


PICTURES = (
    averages,
    descent,
    momentum,
    plateaus,
    normalizing_inputs,
    batch_normalization,
)

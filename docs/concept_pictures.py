"""Draws what the pages in docs/concepts show, from the library itself."""

import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_regopt as kr

STEPS = 40


def draw(directory):
    """Writes the pictures into a directory, which is made if it is missing."""
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    averages().savefig(directory / "concept_averages.svg")
    descent().savefig(directory / "concept_descent.svg")


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
    x, y = np.meshgrid(np.linspace(-4.5, 1, 80), np.linspace(-2, 2, 60))
    ax.contour(x, y, 0.5 * x**2 + 5 * y**2, levels=12, colors="0.8")
    for name, optimizer in (
        ("SGD", kr.optimizers.SGD(0.18)),
        ("SGD, momentum 0.7", kr.optimizers.SGD(0.05, momentum=0.7)),
        ("Adam", kr.optimizers.Adam(0.3)),
    ):
        point = keras.Variable(np.array([-4.0, 1.5], "float32"))
        path = [keras.ops.convert_to_numpy(point).copy()]
        for _ in range(STEPS):
            slope = np.array([1.0, 10.0], "float32") * path[-1]
            gradient = keras.ops.convert_to_tensor(slope)
            optimizer.apply_gradients([(gradient, point)])
            path.append(keras.ops.convert_to_numpy(point).copy())
        ax.plot(*np.transpose(path), ".-", markersize=4, label=name)
    ax.legend(frameon=False)
    return figure

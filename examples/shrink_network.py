"""Trains a net with group lasso, and removes the filters that it made zero.

Two convolutional nets of the same start learn scikit-learn's digits. One learns
plainly. The other has, for two thirds of the epochs, a constraint that moves
each filter towards zero after every step and leaves at zero what does not pay;
then `shrink` removes those filters, and the small net learns on without it.

    python examples/shrink_network.py [--epochs 60] [--seeds 5] [--output DIR]
"""

import argparse
import math
import pathlib

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_regopt as kr
from keras_regopt.constraints import GroupSoftThreshold, cost, shrink, sparsity

BATCH = 64
PEAK = 0.05


def net(threshold):
    def constraint(weights):
        # Longer vectors have larger norms: the usual weight of a group.
        scaled = threshold * math.sqrt(weights)
        return GroupSoftThreshold(scaled) if threshold else None

    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(
                32, 3, activation="relu", kernel_constraint=constraint(9)
            ),
            keras.layers.Conv2D(
                64, 3, activation="relu", kernel_constraint=constraint(9 * 32)
            ),
            keras.layers.Flatten(),
            keras.layers.Dense(
                64, activation="relu", kernel_constraint=constraint(16 * 64)
            ),
            keras.layers.Dense(10),
        ]
    )


def fit(model, data, epochs, fall):
    """Trains a model; the rate falls to zero in the last fraction `fall`."""
    x, y = data
    steps = epochs * math.ceil(len(x) / BATCH)
    warmup = steps // 20
    rate = kr.schedules.WarmupStableDecay(
        PEAK, steps, warmup, int(fall * (steps - warmup))
    )
    model.compile(
        kr.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)


def released(model):
    """The model without the constraints on its kernels."""
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.kernel_constraint = layer.kernel.constraint = None
    return model


def report(name, model, data):
    """Prints what a model is worth and what it takes."""
    x, y = data
    right = np.mean(model.predict(x, verbose=0).argmax(-1) == y)
    units = [w.shape[-1] for w in model.weights if len(w.shape) > 1]
    print(f"  {name:12} {100 * right:.1f} %, units {units}, {cost(model)}")
    return float(right)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threshold", type=float, default=4e-4)
    parser.add_argument("--output", default="shrink_output")
    options = parser.parse_args()
    digits = load_digits()
    train, _, test = kr.diagnosis.split(
        (digits.images / 16)[..., None].astype("float32"),
        digits.target,
        (0.6, 0.2, 0.2),
        stratify=True,
        seed=0,
    )
    sparse_epochs = math.ceil(options.epochs * 2 / 3)
    losses = []
    for seed in range(options.seeds):
        print(f"seed {seed}: accuracy on the test set, and what it takes")
        keras.utils.set_random_seed(seed)
        plain = net(threshold=0)
        fit(plain, train, options.epochs, fall=1 / 3)
        before = report("plain", plain, test)

        keras.utils.set_random_seed(seed)
        sparse = net(options.threshold)
        # The threshold fits a rate, which therefore does not fall yet.
        fit(sparse, train, sparse_epochs, fall=0)
        report("group lasso", sparse, test)
        small = released(shrink(sparse))
        report("shrunk", small, test)
        gap = np.abs(sparse.predict(test[0]) - small.predict(test[0])).max()
        print(f"  shrinking changed the outputs by at most {gap:.0e}")
        fit(small, train, options.epochs - sparse_epochs, fall=1)
        losses.append(before - report("trained on", small, test))
    print(sparsity(sparse))
    print(
        "Lost by the small net, in points of accuracy: "
        f"{100 * np.mean(losses):.2f} on average, "
        f"{100 * max(losses):.2f} at most"
    )
    # Under another name first, so that it is there whole or not at all.
    directory = pathlib.Path(options.output)
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / "unfinished.keras"
    small.save(unfinished)
    unfinished.rename(directory / "model.keras")


if __name__ == "__main__":
    # No progress bars between the lines.
    keras.utils.disable_interactive_logging()
    main()

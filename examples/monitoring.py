"""Watches a stream of digits whose scanner slips, and trains the model on.

The digits come in batches. After a third of them, each is moved by a pixel. The
monitor's state and the model are saved after each batch, and loaded for the
next one, as if each were a run of its own. When the monitor says so, the model
learns from the digits since, of which a person has told the labels.

    python examples/monitoring.py [--epochs 15] [--batches 12] [--output DIR]
"""

import argparse
import pathlib

import keras
import numpy as np
from sklearn.datasets import load_digits

from keras_regopt.diagnosis import Monitor, split, update

BATCH = 100


def network():
    layers = [
        keras.Input((64,)),
        keras.layers.Dense(64, "relu"),
        keras.layers.Dense(10, "softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(
        keras.optimizers.Adam(3e-3),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def moved(x):
    return np.roll(x.reshape(-1, 8, 8), 1, axis=2).reshape(-1, 64)


def accuracy(model, x, y):
    return 100 * float(np.mean(model.predict(x, verbose=0).argmax(-1) == y))


def save(model, path):
    """Saves a model under another name first, so that it is there whole."""
    unfinished = path.with_name("unfinished.keras")
    model.save(unfinished)
    unfinished.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--output", default="monitoring_output")
    options = parser.parse_args()
    directory = pathlib.Path(options.output)
    directory.mkdir(parents=True, exist_ok=True)
    state, saved = directory / "monitor.npz", directory / "model.keras"

    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target
    train, dev, stream = split(x, y, (0.3, 0.2, 0.5), stratify=True, seed=0)
    keras.utils.set_random_seed(0)
    model = network()
    model.fit(*train, epochs=2 * options.epochs, verbose=0)
    save(model, saved)
    # Not the training data, of which the model is too sure.
    Monitor(dev[0], model=model, window=BATCH).save(state)
    print(f"Accuracy on the dev set: {accuracy(model, *dev):.1f} %")

    random = np.random.default_rng(0)
    since = []
    for number in range(1, options.batches + 1):
        rows = random.choice(len(stream[0]), BATCH, replace=False)
        now, labels = stream[0][rows], stream[1][rows]
        if number > options.batches // 3:
            now = moved(now)
        model = keras.saving.load_model(saved)
        monitor = Monitor.load(state, model)
        for report in monitor.observe(now):
            since = [*since, (now, labels)] if report.alarm else []
            print(f"Batch {number}: {accuracy(model, now, labels):.1f} %")
            print(f"  {report.reason}")
        if monitor.should_update() and len(since) == 3:
            new = tuple(
                np.concatenate(part) for part in zip(*since, strict=True)
            )
            print(f"  {update(model, new, train, dev, epochs=options.epochs)}")
            print(f"  On the dev set of before: {accuracy(model, *dev):.1f} %")
            save(model, saved)
            # Of what comes now there is nothing else yet. As the model has
            # learned from these, a later reference is better.
            monitor = Monitor(new[0], model=model, window=BATCH)
            since = []
        monitor.save(state)
    print(f"The model and the monitor's state are in {directory}")


if __name__ == "__main__":
    # No progress bars between the lines.
    keras.utils.disable_interactive_logging()
    main()

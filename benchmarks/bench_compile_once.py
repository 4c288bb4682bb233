"""What a trial costs where one compiled model serves all of them.

    KERAS_BACKEND=tensorflow python benchmarks/bench_compile_once.py

A small MLP on handwritten digits, of whose trials nothing but numbers differ.
Keras Tuner and both ways of `CrossValidationTuner` run trials of one oracle on
one split, one search after the other in one process.
"""

import os

# Before Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import argparse
import tempfile
import time

import keras
import keras_tuner
from _pages import table
from sklearn.datasets import load_digits

from keras_regopt.layers import Dropout
from keras_regopt.regularizers import L2
from keras_regopt.tuning import CrossValidationTuner, RandomOracle

SEED = 0


def build(hp):
    """A small MLP with four hyperparameters, all of them numbers."""
    penalty = L2(hp.Float("l2", 1e-6, 1e-2, sampling="log"))
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, "relu", kernel_regularizer=penalty),
            Dropout(hp.Float("dropout", 0.05, 0.6)),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.AdamW(
            hp.Float("learning_rate", 1e-4, 1e-1, sampling="log"),
            weight_decay=hp.Float("decay", 1e-5, 1e-1, sampling="log"),
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def search(contender, trials, data, validation_data, epochs):
    """CPU seconds of a search."""
    oracle = RandomOracle("val_loss", trials, seed=SEED)
    folder = tempfile.mkdtemp()
    start = time.process_time()
    if contender == "Keras Tuner":
        tuner = keras_tuner.Tuner(
            hypermodel=build, oracle=oracle, directory=folder
        )
    else:
        tuner = CrossValidationTuner(
            build,
            oracle,
            folds=None,
            seed=SEED,
            directory=folder,
            reuse_models=contender == "reuse_models=True",
        )
    tuner.search(
        *data,
        validation_data=validation_data,
        epochs=epochs,
        batch_size=100,
        verbose=0,
    )
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    # Of the tuners that compile each of them.
    parser.add_argument("--compiled", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    x, y = (x / 16).astype("float32"), y.astype("int32")
    data = x[:1000], y[:1000]
    validation_data = x[1000:1400], y[1000:1400]
    rest = data, validation_data, arguments.epochs
    # What is loaded and compiled in the first search of a process.
    search("Keras Tuner", 1, *rest)
    trials = {
        "Keras Tuner": arguments.compiled,
        "reuse_models=False": arguments.compiled,
        "reuse_models=True": arguments.trials,
    }
    seconds = {name: 0.0 for name in trials}
    # In turns, since a second is worth less while others compute.
    for turn in range(arguments.rounds):
        for name, count in trials.items():
            took = search(name, count, *rest) / count
            seconds[name] += took / arguments.rounds
            print(f"{turn}: {name}: {took:.3f} CPU s a trial of {count}")
    theirs = seconds["Keras Tuner"]
    rows = [
        [name, str(trials[name]), f"{own:.2f}", f"{theirs / own:.1f}"]
        for name, own in seconds.items()
    ]
    head = ["tuner", "trials", "CPU s a trial", "Keras Tuner's by this"]
    print(f"{keras.backend.backend()}\n{table(head, rows)}")


if __name__ == "__main__":
    main()

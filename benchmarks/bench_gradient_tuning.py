"""Tuning by gradient against searches of equal and of larger cost.

    python benchmarks/bench_gradient_tuning.py --data digits --seeds 0-9
    python benchmarks/bench_gradient_tuning.py --table

Each training is appended to a file, so that small pieces add up to one table;
what stands there is not trained again.
"""

import os

# Before Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "jax")

import argparse
import json
import pathlib
import time

import keras
import numpy as np
from _pages import table
from sklearn.datasets import load_digits

from keras_regopt.layers import Dropout, GaussianNoise
from keras_regopt.optimizers import Adam
from keras_regopt.regularizers import L2, SmoothedCrossentropy
from keras_regopt.tuning import GradientTuner, HyperParameter
from keras_regopt.tuning.gradient._comparison import Comparison, best, cosine
from keras_regopt.tuning.gradient._training import vector

# About 600 steps.
EPOCHS = {"digits": 66, "mnist": 19}
BATCH = 32


def loaded(name, mnist):
    """Few rows to train on, 10 % of their labels wrong; others to judge by."""
    if name == "digits":
        x, y = load_digits(return_X_y=True)
        x, rows, judges = x / 16, 300, (100, None)
    else:
        with np.load(mnist) as file:
            x, y = file["x_train"].reshape(-1, 784) / 255, file["y_train"]
        rows, judges = 1000, (300, 3000)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order].astype("float32"), y[order].astype("int32")
    middle, end = rows + judges[0], judges[1] and rows + sum(judges)
    y_train = y[:rows].copy()
    wrong = np.random.default_rng(1).random(rows) < 0.1
    y_train[wrong] = np.random.default_rng(2).integers(0, 10, wrong.sum())
    x_train = x[:rows]
    if name == "digits":
        # Of the training rows alone.
        noise = np.random.default_rng(3).normal(size=x_train.shape)
        x_train = x_train + 0.15 * noise.astype("float32")
    return (
        (x_train, y_train),
        (x[rows:middle], y[rows:middle]),
        (x[middle:end], y[middle:end]),
    )


def build(features):
    """An MLP with six hyperparameters."""
    first, second = (
        L2(HyperParameter(1e-5, 1e-7, 1e-1, name=name))
        for name in ("l2_first", "l2_second")
    )
    model = keras.Sequential(
        [
            keras.Input((features,)),
            GaussianNoise(
                HyperParameter(0.02, 1e-3, 1.0, name="noise"), seed=1
            ),
            keras.layers.Dense(64, "relu", kernel_regularizer=first),
            Dropout(
                HyperParameter(0.1, 0.02, 0.75, "logit", name="dropout"),
                seed=2,
            ),
            keras.layers.Dense(10, "softmax", kernel_regularizer=second),
        ]
    )
    model.compile(
        Adam(HyperParameter(3e-3, 1e-4, 5e-2, name="rate")),
        SmoothedCrossentropy(
            HyperParameter(0.01, 0.007, 0.3, "logit", name="smoothing")
        ),
    )
    return model


def searched(tuner, data, test):
    """Rows of the defaults and of random searches, with a cosine decay."""
    made = Comparison(
        tuner._training, tuner._run, tuner._first, data, tuner._fresh_state
    )
    steps = tuner._run.step
    decays = {"factor": cosine(steps)}
    rows = [
        made.trained("defaults", tuner._first, steps),
        made.trained("defaults, cosine", tuner._first, steps, **decays),
    ]
    trials = made.sampled(30, **decays)
    for count in (2, 4, 30):
        rows.append(best(trials[:count], f"random, {count} trials, cosine"))
    return [made._shown(row, test) for row in rows]


FIRST = "t1t2, every 8"
VARIANTS = {
    FIRST: {"method": "t1t2", "every": 8},
    "t1t2, every step": {
        "method": "t1t2",
        "every": 1,
        "hyper_learning_rate": 0.007,
    },
    "implicit, every 8": {"method": "implicit", "every": 8},
}


def run(data, variant, seed, epochs):
    """The rows of a variant; with those of the searches for the first one."""
    train, validation, test = data
    features = train[0].shape[1]
    tuner = GradientTuner(
        lambda: build(features), validation, seed=seed, **VARIANTS[variant]
    )
    tuner.fit(*train, epochs=epochs, batch_size=BATCH, verbose=0)
    names = {
        "tuned": variant,
        "replayed": f"{variant}: replayed",
        "last values": f"{variant}: last values",
    }
    if variant != FIRST:
        loss = tuner._training.loss(
            tuner._run.state, vector(tuner._run.positions), test
        )
        cost = Comparison(tuner._training, tuner._run, None, None, None).cost()
        return [{"name": variant, "cost": cost, "test_loss": loss}]
    rows = tuner.compare(test, trials=1, verbose=0)
    kept = [{**r, "name": names[r["name"]]} for r in rows if r["name"] in names]
    return kept + searched(tuner, (train, epochs, BATCH), test)


def show(path, data):
    """Prints the table of all trainings in a file."""
    found = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["data"] == data:
            found.setdefault(row["name"], {})[row["seed"]] = row
    rows = []
    for name, seeds in found.items():
        losses = [row["test_loss"] for row in seeds.values()]
        spread = np.std(losses, ddof=1) if len(losses) > 1 else np.nan
        cost = next(iter(seeds.values()))["cost"]
        numbers = f"{np.mean(losses):.3f} ± {spread:.3f}"
        middle = f"{np.median(losses):.3f}"
        rows.append([name, str(len(losses)), str(cost), numbers, middle])
    head = ["training", "seeds", "gradients", "test NLL", "median"]
    print(f"\n{data}\n\n{table(head, rows)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="digits", help="or mnist")
    parser.add_argument("--mnist", default="mnist.npz", help="path of the file")
    parser.add_argument("--seeds", default="0-9", help="first-last")
    parser.add_argument("--variants", default=";".join(VARIANTS))
    parser.add_argument("--results", default="bench_gradient_tuning.jsonl")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    path = pathlib.Path(options.results)
    first, last = map(int, options.seeds.split("-"))
    lines = path.read_text().splitlines() if path.exists() else []
    done = {
        (r["data"], r["variant"], r["seed"]) for r in map(json.loads, lines)
    }
    data = None if options.table else loaded(options.data, options.mnist)
    for seed in [] if options.table else range(first, last + 1):
        for variant in options.variants.split(";"):
            if (options.data, variant, seed) in done:
                continue
            start = time.process_time()
            rows = run(data, variant, seed, EPOCHS[options.data])
            made = {"data": options.data, "variant": variant, "seed": seed}
            seconds = round(time.process_time() - start, 1)
            print(made, seconds, flush=True)
            with path.open("a") as file:
                for row in rows:
                    file.write(json.dumps({**made, **row}) + "\n")
    for name in ("digits", "mnist"):
        show(path, name)


if __name__ == "__main__":
    main()

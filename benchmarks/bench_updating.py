"""What a model forgets that is trained on with new data.

    python benchmarks/bench_updating.py [--seeds 5]

Writes docs/benchmarks/updating.md.
"""

import argparse
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from _pages import filled, table
from sklearn.datasets import load_digits

from keras_regopt.diagnosis import update

PAGE = pathlib.Path(__file__).parent.parent / "docs/benchmarks/updating.md"
# The defaults were chosen with the seeds 100 and 102.
FIRST_SEED = 0
EPOCHS = 15
WITHOUT_LIMIT = {"tolerance": 1e9}
CONTENDERS = {
    "before the update": None,
    "plain fine-tuning": {"rate": 0, "replay": 0, **WITHOUT_LIMIT},
    "L2-SP of 0.1": {"rate": 0.1, "replay": 0, **WITHOUT_LIMIT},
    "L2-SP of 1": {"rate": 1.0, "replay": 0, **WITHOUT_LIMIT},
    "replay of 0.8": {"rate": 0, **WITHOUT_LIMIT},
    "replay and L2-SP of 0.001": WITHOUT_LIMIT,
    "plain, within the limit": {"rate": 0, "replay": 0},
    "`update` without L2-SP": {"rate": 0},
    "`update`": {},
}


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
    """Digits one pixel to the right: another scanner."""
    return np.roll(x.reshape(-1, 8, 8), 1, axis=2).reshape(-1, 64)


def outcomes(seed):
    """For each contender: old loss and accuracy, new loss and accuracy."""
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target
    order = np.random.default_rng(seed).permutation(len(x))
    train, dev, old_test, new, new_test = np.split(
        order, [600, 900, 1200, 1400]
    )
    keras.utils.set_random_seed(seed)
    model = network()
    model.fit(x[train], y[train], epochs=30, verbose=0)
    start = model.get_weights()
    found = {}
    for name, options in CONTENDERS.items():
        model.set_weights(start)
        if options is not None:
            update(
                model,
                (moved(x[new]), y[new]),
                (x[train], y[train]),
                (x[dev], y[dev]),
                epochs=EPOCHS,
                seed=seed,
                **options,
            )
        found[name] = [
            *model.evaluate(x[old_test], y[old_test], verbose=0),
            *model.evaluate(moved(x[new_test]), y[new_test], verbose=0),
        ]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    runs = [outcomes(seed) for seed in seeds]
    rows = []
    for name in CONTENDERS:
        values = np.array([run[name] for run in runs])
        before = np.array([run["before the update"] for run in runs])
        rise = values[:, 0] / before[:, 0] - 1
        old, new = 100 * values[:, 1], 100 * values[:, 3]
        rows.append(
            [
                name,
                f"{100 * rise.mean():+.0f} %",
                f"{100 * rise.max():+.0f} %",
                f"{old.mean():.1f} ± {old.std(ddof=1):.1f}",
                f"{values[:, 2].mean():.2f}",
                f"{new.mean():.1f} ± {new.std(ddof=1):.1f}",
            ]
        )
    head = ["", "old loss, mean", "old loss, worst", "old accuracy"]
    head += ["new loss", "new accuracy"]
    text = filled(
        f"""
        A net of 64 units learns 600 of scikit-learn's digits, and is trained on
        for {EPOCHS} epochs with 200 digits that are moved by a pixel. Loss and
        accuracy (%, with the standard deviation over {options.seeds} seeds) on
        300 old and some 400 new digits for the test, which decide nothing;
        "old loss" is its change. The limit is a rise of 10 % of the loss on 300
        other old digits, `old_dev`. Every line keeps the epoch that is best on
        40 new digits, within its limit if it has one. The defaults were chosen
        with other seeds. By
        `python benchmarks/bench_updating.py --seeds {options.seeds}`, on
        {keras.backend.backend()}.
        """
    )
    page = f"# Updating\n\n{text}\n\n{table(head, rows)}\n\n{REMARKS}"
    PAGE.write_text(page)
    print(page)


REMARKS = """\
- On `old_dev` itself, no line with the limit rises by more than 10 %: it is
  what chooses the weights. On other old rows it is 7 % on average and up to
  20 %, as 300 rows do not tell the loss more exactly. Where the limit must
  hold, give more of them, or a smaller `tolerance`.
- The replay does nearly all of it. L2-SP alone forgets less than plain
  fine-tuning and learns less; with the replay it brought nothing here, and
  the default of 0.001 costs 2.6 points of new accuracy, within the spread
  over seeds.
- One kind of data, one small net, one shift; five seeds.
"""


if __name__ == "__main__":
    main()

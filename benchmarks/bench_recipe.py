"""What `recipe` brings, against the plain model and a random search.

    python benchmarks/bench_recipe.py [--seeds 5] [--mnist PATH] [--page]

Goes on where it stopped: what is finished stands in
docs/benchmarks/recipe.jsonl. Writes docs/benchmarks/recipe.md; `--page` writes
the page alone.
"""

import argparse
import json
import os
import pathlib
import time
from types import SimpleNamespace

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from _pages import filled, table, versions
from sklearn.datasets import load_breast_cancer, load_digits

from keras_regopt.diagnosis import split
from keras_regopt.regularizers import SmoothedCrossentropy
from keras_regopt.tuning import recipe
from keras_regopt.tuning._recipe_data import joined
from keras_regopt.tuning._recipe_trainings import Trainings
from keras_regopt.tuning._remedies import applies, choose_remedies, parts_of

PAGE = pathlib.Path(__file__).parent.parent / "docs/benchmarks/recipe.md"
RECORDS = PAGE.with_suffix(".jsonl")
BUDGET, FOLDS, EPOCHS, BATCH = 26, 2, 12, 32
# Not those that make a training longer: as many trainings are the same cost.
REMEDIES = (
    "learning_rate",
    "augmentation",
    "dropout",
    "weight_decay",
    "l2",
    "label_smoothing",
)


def digits(seed, options):
    """300 digits with noise in the pixels, and as many for dev and test."""
    x, y = load_digits(return_X_y=True)
    random = np.random.default_rng(seed)
    x = x / 16 + random.normal(0, 0.3, x.shape)
    return drawn(x.reshape(-1, 8, 8, 1), y, 300, seed)


def cancer(seed, options):
    """All of breast cancer, standardized."""
    x, y = load_breast_cancer(return_X_y=True)
    parts = split(x, y, (0.6, 0.2, 0.2), stratify=True, seed=seed)
    mean, std = parts.train.x.mean(axis=0), parts.train.x.std(axis=0)
    return tuple(((p.x - mean) / std, p.y) for p in parts)


def mnist(seed, options):
    """1,000 images of MNIST in half size, and all of its 10,000 test images."""
    with np.load(options.mnist) as data:
        x, y, x_test, y_test = (
            data[name] for name in ("x_train", "y_train", "x_test", "y_test")
        )
    rows = np.random.default_rng(seed).permutation(len(x))[:1000]
    train, dev = rows[:750], rows[750:]
    return (
        (halved(x[train]), y[train]),
        (halved(x[dev]), y[dev]),
        (halved(x_test), y_test),
    )


def halved(images):
    """Means of 2 x 2 pixels, from 0 to 1."""
    blocks = images.reshape(len(images), 14, 2, 14, 2)
    return (blocks.mean(axis=(2, 4))[..., None] / 255).astype("float32")


def drawn(x, y, count, seed):
    """So many rows for train and dev together; all others are the test."""
    parts = split(
        x.astype("float32"),
        y,
        (0.75 * count / len(x), 0.25 * count / len(x), 1 - count / len(x)),
        stratify=True,
        seed=seed,
    )
    return tuple(map(tuple, parts))


DATA = {
    "digits, 300 noisy rows": digits,
    "breast cancer": cancer,
    "MNIST, 1,000 rows": mnist,
}


def builder(shape, classes):
    """The function of parts for data of a shape."""

    def build(
        dropout=0.0,
        kernel_regularizer=None,
        optimizer=None,
        augmentation=None,
        label_smoothing=0.0,
    ):
        layers = [] if augmentation is None else [augmentation]
        layers.append(keras.layers.Flatten())
        for _ in range(2):
            layers.append(
                keras.layers.Dense(
                    128, "relu", kernel_regularizer=kernel_regularizer
                )
            )
            layers.append(keras.layers.Dropout(dropout))
        layers.append(keras.layers.Dense(classes, "softmax"))
        model = keras.Sequential([keras.Input(shape), *layers])
        model.compile(
            optimizer or keras.optimizers.Adam(0.002),
            SmoothedCrossentropy(label_smoothing),
            metrics=["accuracy"],
        )
        return model

    return build


def random_search(build, parts, seed, budget):
    """The test error of the best of as many trainings at random."""
    options = SimpleNamespace(
        folds=FOLDS,
        monitor="auto",
        mode="auto",
        reference=None,
        epochs=EPOCHS,
        seed=seed,
        directory=None,
        overwrite=False,
        fit={"batch_size": BATCH},
    )
    trainings = Trainings(random_search, build, joined(*parts[:2]), options)
    trainings.new({})
    remedies = [
        r
        for r in choose_remedies(
            random_search, REMEDIES, parts_of(random_search, build)
        )
        if applies(r, parts[0][0], trainings.optimizer)
    ]
    random = np.random.default_rng(seed)
    # The plain model is one of the trials, as it is for the recipe.
    tried = [({}, trainings.scores({}).mean())]
    # One is for the model at the end.
    while trainings.count + FOLDS + 1 <= budget:
        settings = {
            r.name: float(random.choice(r.strengths))
            for r in remedies
            if random.uniform() < 0.4
        }
        tried.append((settings, trainings.scores(settings).mean()))
    best = min(tried, key=lambda trial: trial[1])[0]
    model, _ = trainings.fit("all", best, trainings.rows)
    value = model.evaluate(*parts[2], return_dict=True, verbose=0)
    return 1 - value["accuracy"], best


def measured(name, seed, options):
    """A record of one data set and seed."""
    parts = DATA[name](seed, options)
    classes = int(max(parts[0][1])) + 1
    build = builder(parts[0][0].shape[1:], classes)
    start = time.process_time()
    result = recipe(
        build,
        parts,
        budget=BUDGET,
        remedies=REMEDIES,
        folds=FOLDS,
        checks=(),
        epochs=EPOCHS,
        batch_size=BATCH,
        seed=seed,
        verbose=0,
    )
    used = time.process_time() - start
    found, settings = random_search(build, parts, seed, result.trainings)
    return {
        "data": name,
        "seed": seed,
        "plain": result.test[0]["error"],
        "recipe": result.test[-1]["error"],
        "random": found,
        "chosen": result.chosen,
        "chosen at random": settings,
        "verdict": result.baseline.verdict,
        "outcome": result.outcome,
        "trainings": result.trainings,
        "seconds": used,
        "seconds at random": time.process_time() - start - used,
    }


def records():
    if not RECORDS.exists():
        return []
    return [json.loads(line) for line in RECORDS.read_text().splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--mnist", default=os.environ.get("KERAS_REGOPT_MNIST", "mnist.npz")
    )
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    done = {(r["data"], r["seed"]) for r in records()}
    for seed in range(options.seeds if not options.page else 0):
        for name in DATA:
            if (name, seed) not in done:
                record = measured(name, seed, options)
                with RECORDS.open("a") as file:
                    file.write(json.dumps(record) + "\n")
                print(record, flush=True)
    PAGE.write_text(page())


def page():
    """The page in Markdown."""
    rows = []
    for name in DATA:
        own = [r for r in records() if r["data"] == name]
        if own:
            rows.append(line(name, own))
    head = [
        *("data", "seeds", "plain", "random search", "recipe"),
        *("recipe against plain", "recipe against random search"),
    ]
    each = [
        [
            r["data"],
            str(r["seed"]),
            r["verdict"],
            chosen(r["chosen"]),
            chosen(r["chosen at random"]),
            str(r["trainings"]),
            r["outcome"],
        ]
        for r in sorted(records(), key=lambda r: (r["data"], r["seed"]))
    ]
    of_each = [
        *("data", "seed", "verdict on the plain model"),
        *("kept by the recipe", "best at random", "trainings", "outcome"),
    ]
    return "\n\n".join(
        [
            "# Recipe",
            filled(INTRODUCTION),
            table(head, rows),
            "What was decided, run by run:",
            table(of_each, each),
            filled(f"Measured with {versions('keras', 'torch')} on torch."),
            filled(REMARKS),
        ]
    )


def line(name, own):
    """A row of the table of errors."""
    plain, random, ours = (
        np.array([r[key] for r in own]) for key in ("plain", "random", "recipe")
    )
    return [
        name,
        str(len(own)),
        *map(spread, (plain, random, ours)),
        difference(ours - plain),
        difference(ours - random),
    ]


def spread(errors):
    errors = 100 * errors
    deviation = f" ± {errors.std(ddof=1):.2f}" if len(errors) > 1 else ""
    return f"{errors.mean():.2f}{deviation} %"


def difference(values):
    """The mean paired difference with its standard error, in points."""
    values = 100 * values
    if len(values) < 2:
        return f"{values.mean():+.2f}"
    error = values.std(ddof=1) / len(values) ** 0.5
    word = "no clear difference"
    if abs(values.mean()) > 2 * error:
        word = "better" if values.mean() < 0 else "worse"
    return f"{values.mean():+.2f} ± {error:.2f}: {word}"


def chosen(settings):
    return ", ".join(f"{n} {v:.3g}" for n, v in settings.items()) or "nothing"


INTRODUCTION = f"""
The test errors of a plain network of two dense layers of 128 units, of what
`recipe` makes of it, and of a random search over the same techniques and
strengths with the same folds and as many trainings. Each seed has its own
rows, folds and weights: digits with 300 rows for train and dev and Gaussian
noise of 0.3 in the pixels; breast cancer; MNIST in 14 x 14 pixels with 1,000
rows for train and dev. Budget {BUDGET} trainings, {FOLDS} folds, {EPOCHS}
epochs, batches of {BATCH}. More epochs and wider layers are left out of both
searches, so that as many trainings are the same cost. Repeated by `make
bench-recipe`, which goes on with the seeds that are missing of five. Mean and
standard deviation over the seeds; differences with the standard error of the
pairs, of which two count.
"""

REMARKS = """
What was hoped for, that the recipe beats the plain model by more than the
spread over the seeds, and random search at equal cost, is not seen here: on
digits and MNIST it gained 0.3 points, which five seeds do not make certain,
and in breast cancer it lost half a point, one of 114 test rows in the mean.
With two folds a remedy is kept only if it helps in both: for MNIST one of five
seeds kept one, where random search found better models with three of them.
More folds, a larger budget and longer trainings were not measured.
"""


if __name__ == "__main__":
    main()

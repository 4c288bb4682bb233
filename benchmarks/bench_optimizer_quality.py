"""How well each optimizer trains two small networks, tuned on equal terms.

Every optimizer has the same number of trials to find its learning rate on a
development set. The best one trains again from other seeds, and a test set
tells how well.
"""

import os

# Before Keras is imported.
os.environ["KERAS_BACKEND"] = "jax"

import argparse
import dataclasses
import functools
import pathlib
import re
import time

import jax
import keras
import numpy as np
from _pages import filled, table, versions
from _quality_recipes import recipes
from _quality_training import (
    BATCH,
    FACTORS,
    LENGTHS,
    SCHEDULES,
    ByGradients,
    ByIterations,
    Task,
)
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import FunctionTransformer, StandardScaler

PAGE = (
    pathlib.Path(__file__).parents[1] / "docs/benchmarks/optimizer_quality.md"
)
TUNING_SEEDS = range(100, 103)
TEST_SEEDS = range(10)
PEER = "Keras Adam"


def dense(layers):
    return [keras.layers.Dense(64, "relu") for _ in range(layers)]


TASKS = {
    "Digits": functools.partial(
        Task,
        load_digits,
        FunctionTransformer(lambda pixels: pixels / 16),
        functools.partial(dense, 4),
        train=600,
        tuning=400,
        gradients=600,
    ),
    "Breast cancer": functools.partial(
        Task,
        load_breast_cancer,
        StandardScaler(),
        functools.partial(dense, 2),
        train=200,
        tuning=169,
        gradients=300,
    ),
}


@dataclasses.dataclass
class Result:
    """What an optimizer reached: arrays with a number for each test seed."""

    best: tuple
    losses: np.ndarray
    accuracies: np.ndarray
    seconds: np.ndarray


def main():
    arguments = parsed_arguments()
    results = {}
    for title in arguments.tasks:
        task = TASKS[title]()
        found = results[title] = {}
        for name, trainer in trainers().items():
            if name == PEER or re.search(arguments.only, name):
                before = time.process_time()
                found[name] = tuned_and_tested(trainer(task))
                seconds = time.process_time() - before
                row = " | ".join(cells(found, name))
                print(f"{title} | {row} | {seconds:.0f} s", flush=True)
                keras.backend.clear_session()
                jax.clear_caches()
                if arguments.write:
                    # At once, since the whole takes a while.
                    PAGE.write_text(page(results))
    print(page(results))


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument(
        "--only", default="", help="regular expression on the optimizers' names"
    )
    parser.add_argument(
        "--write", action="store_true", help=f"write the tables to {PAGE.name}"
    )
    return parser.parse_args()


def trainers():
    """A dict: name to a function of a task; the peer of all comes first."""
    made = {
        name: functools.partial(ByGradients, recipe=recipe)
        for name, recipe in recipes().items()
    }
    return {PEER: made.pop(PEER), **made, "LBFGS": ByIterations}


def tuned_and_tested(trainer):
    tuning = {
        trial: np.mean(
            [trainer.run(trial, s, "tuning")[0] for s in TUNING_SEEDS]
        )
        for trial in trainer.trials
    }
    best = min(tuning, key=tuning.get)
    outcomes = [trainer.run(best, seed, "test") for seed in TEST_SEEDS]
    return Result(best, *np.transpose(outcomes))


def cells(found, name):
    """A row of the table."""
    result, peer = found[name], found[PEER]
    factor, schedule, steps = result.best
    at_end = "*" if factor in (FACTORS[0], FACTORS[-1]) else ""
    return [
        name,
        spread(result.losses, 3),
        spread(result.accuracies * 100, 1),
        "" if name == PEER else against(result, peer),
        f"{factor:.2g}{at_end}, {schedule}, {steps}"
        if schedule
        else f"{steps}",
        f"{per_step(result) / per_step(peer):.1f}" if schedule else "",
    ]


def per_step(result):
    return np.median(result.seconds) / result.best[-1]


def spread(values, digits):
    if np.max(values) > 1000:
        return f"up to {np.max(values):.0e}"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


def against(result, peer):
    mean, error = gap(result, peer)
    return f"{mean:+.3f} ± {error:.3f}" if mean < 100 else "diverges"


def gap(result, peer):
    """The difference in the loss, by seeds in common: (mean, error of it)."""
    gaps = np.minimum(result.losses, 1e9) - peer.losses
    return gaps.mean(), gaps.std(ddof=1) / len(gaps) ** 0.5


def page(results):
    trials = len(FACTORS) * len(SCHEDULES) * len(LENGTHS)
    tables = [section(title, found) for title, found in results.items()]
    text = f"""
    Every optimizer of this package, and some of Keras', on two small data sets
    of scikit-learn, each at its best of an equal budget. What does not help
    stays in the tables. `make bench-optimizer-quality` repeats it;
    {versions("keras", "jax", "scikit-learn")}.

    **Budget.** {trials} trials for each: {len(FACTORS)} learning rates, from
    {FACTORS[0]:.2g} to {FACTORS[-1]:.0f} times the default of the class (for
    Adagrad: 0.01) by factors of {FACTORS[1] / FACTORS[0]:.2g}; constant or with
    a cosine decay to zero; a quarter, a half or all of the steps. All other
    arguments are the defaults, or are given with the name; "SGD" within another
    optimizer has a momentum of 0.9. A trial trains from {len(TUNING_SEEDS)}
    seeds, and the lowest mean loss on the development set wins. The winner
    trains from {len(TEST_SEEDS)} other seeds, which give the initial weights
    and the order of the batches, the same for all optimizers, and is evaluated
    on the test set. A step takes the gradient of a batch of {BATCH}; what takes
    two gradients for a step may make half as many steps. L-BFGS has no rate; it
    may evaluate the whole training set as often as the others go through it,
    and its trials are when to stop.

    **Columns.** Mean and standard deviation over the seeds of loss
    (cross-entropy) and accuracy (in percent) on the test set; the difference in
    the loss to {PEER}, seed by seed, with its standard error (below zero is
    better); the trial that won: the rate as a multiple of the default (a star:
    the first or last that was tried), schedule and steps; the CPU time of a
    step as a multiple of that of {PEER}, which for networks as small as these
    says little about large ones (none for L-BFGS, which is compiled again in
    each fit).

    **How to read it.** The data, the networks and the trainings are small: what
    is made for large batches, long trainings or deep networks cannot show here
    what it is good for. The standard error is that of the seeds alone; another
    split, or a finer search for the rate, may well change the order of
    neighbours. The rows of one and the same algorithm, such as Adam and Keras
    Adam, show how much is chance. Where the network fits its training data
    perfectly, the loss on new data begins to rise, and part of what is seen is
    how near to that point a trial has come to rest."""
    return "\n\n".join(["# How well they train", filled(text), *tables]) + "\n"


def section(title, found):
    task = TASKS[title].keywords
    head = [
        "optimizer",
        "test loss",
        "accuracy",
        f"against {PEER}",
        "trial that won",
        "time",
    ]
    order = sorted(found, key=lambda name: found[name].losses.mean())
    rows = [cells(found, name) for name in order]
    better, worse = (
        "; ".join(n for n in order if beyond_noise(sign, found, n)) or "none"
        for sign in (-1, 1)
    )
    before = f"""
    {DESCRIPTIONS[title]} {task["train"]} examples to train with,
    {task["tuning"]} to tune with, the rest for the test, split once, with the
    shares of the classes kept; up to {task["gradients"]} steps."""
    after = f"""
    Better than {PEER} by more than two standard errors: {better}.

    Worse by as much: {worse}."""
    return "\n\n".join(
        [f"## {title}", filled(before), table(head, rows), filled(after)]
    )


DESCRIPTIONS = {
    "Digits": "Images of 8 x 8 pixels, ten classes; four dense layers of 64 "
    "units.",
    "Breast cancer": "Thirty measurements of a tumour, two classes; two dense "
    "layers of 64 units.",
}


def beyond_noise(sign, found, name):
    if name == PEER:
        return False
    mean, error = gap(found[name], found[PEER])
    return sign * mean > 2 * error


if __name__ == "__main__":
    main()

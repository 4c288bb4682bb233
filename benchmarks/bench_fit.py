"""Whole trainings by `fit`, with Keras' parts and with ours.

Five ordinary models, in every mode of every backend, each mode in a process of
its own, one thread; the two contenders take turns. CPU time of an epoch and of
the first step, and memory, as ratios.
"""

import argparse
import pathlib

from _pages import filled, table, versions
from _workers import Workers

PAGE = pathlib.Path(__file__).parents[1] / "docs/benchmarks/fit.md"
WORKERS = ("tensorflow graph", "tensorflow jit", "jax", "torch")
MODES = ("TF graph", "TF jit", "JAX", "torch")
MODELS = (
    "MLP with dropout",
    "conv net with dropout",
    "residual net with batch normalization",
    "embedding classifier, lazy rows",
    "small transformer",
)
KERAS, OURS = "Keras", "keras_regopt"
CONTENDERS = {KERAS: KERAS, OURS: OURS}
WHAT = {
    "epoch": "CPU time of an epoch",
    "first": "CPU time of the first step, with what is compiled for it",
    "memory": "Memory that an epoch takes beyond what lay there before it",
}


def main():
    arguments = parsed_arguments()
    workers = Workers(WORKERS, "_fit_models")
    found = {}
    for model in arguments.models:
        measured(workers, model, arguments, found)
        for mode in MODES:
            row = [found.get((what, model, mode)) for what in WHAT]
            print(model, mode, *map(shown, row), flush=True)
    text = page(found, arguments)
    print(text)
    if arguments.write:
        PAGE.write_text(text)


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=40, help="of an epoch")
    parser.add_argument(
        "--firsts", type=int, default=3, help="first steps to take"
    )
    parser.add_argument("--mnist", help="path of mnist.npz, for digits")
    parser.add_argument(
        "--write", action="store_true", help=f"write {PAGE.name} into the docs"
    )
    return parser.parse_args()


def measured(workers, model, arguments, found):
    """Adds the ratios of a model to a dict: (what, model, mode) to ratio."""
    turns = []
    for number in range(arguments.firsts):
        # Who comes second finds more in the caches.
        order = list(CONTENDERS)[:: 1 if number % 2 else -1]
        workers.measure({n: n for n in order}, model, 1, None, rounds=1)
        turns.append(workers.firsts)
    task = model, arguments.batches, arguments.mnist
    times = workers.measure(CONTENDERS, *task, rounds=arguments.rounds)
    peaks = workers.peaks()
    for mode in MODES:
        ratios = [ratio(turn, mode) for turn in turns]
        ratios = sorted(r for r in ratios if r)
        found["first", model, mode] = middle(ratios)
        found["epoch", model, mode] = ratio(times, mode)
        found["memory", model, mode] = ratio(peaks, mode)


def ratio(results, mode):
    ours, base = results.get((OURS, mode)), results.get((KERAS, mode))
    return ours / base if ours and base else None


def middle(values):
    return values[len(values) // 2] if values else None


def shown(value):
    return "" if value is None else f"{value:.2f}"


def page(found, arguments):
    introduction = f"""
    `fit` of five ordinary models with the optimizer and the dropout of this
    package, as multiples of the same with Keras' own: below 1 is better. CPU
    time, one thread, batches of 32, {arguments.batches} of them an epoch;
    medians of {arguments.rounds} epochs in which the two take turns, and of
    {arguments.firsts} first steps of new models, where one and then the other
    comes first. Each mode is in a process of its own. "TF graph" is what `fit`
    runs on a CPU if nothing else is asked for, "TF jit" is `jit_compile=True`.
    `make bench-fit` repeats it;
    {versions("keras", "tensorflow", "jax", "torch")}."""
    parts = ["# Whole trainings", filled(introduction)]
    for what, title in WHAT.items():
        rows = [
            [model, *(shown(found.get((what, model, m))) for m in MODES)]
            for model in MODELS
            if any((what, model, m) in found for m in MODES)
        ]
        parts += [f"## {title}", table(["model", *MODES], rows)]
        if what == "first":
            parts.append(filled(FIRST_STEPS))
    return "\n\n".join(parts) + "\n"


FIRST_STEPS = """
    Why small models begin slower in a TensorFlow graph: XLA compiles the
    optimizer's step (for Adam, about 0.07 s for each large variable and 0.1 s
    for all small ones) and each size of dropout (0.05 to 0.1 s), which Keras
    leaves to TensorFlow's kernels. In models of many variables, such as the
    transformer, less tracing makes up for it: the step of the MLP's six has 76
    operations, that of Keras' Adam 260."""


if __name__ == "__main__":
    main()

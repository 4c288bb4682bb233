"""Image layers of another revision against those of this one, by turns.

`python benchmarks/compare_images.py REVISION` prints, for each layer and each
way to call it, the CPU time of this tree over that of the revision: above 1, it
has become slower. A row is run again, longer, where it is above `--limit`.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

# Before Keras is imported, for what is not measured in a worker.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from _image_operations import COMPARISONS, MAIN
from _workers import Workers

HERE = pathlib.Path(__file__).resolve().parents[1]
BACKENDS = ("tensorflow", "jax", "torch")
TREES = "REGOPT_TREES"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("revision")
    add("--only", nargs="+", metavar="NAME", help=", ".join(COMPARISONS))
    add("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    add("--sizes", nargs="+", type=int, default=(224, 32))
    add("--batch", type=int, default=64)
    add("--rounds", type=int, default=7)
    add("--limit", type=float, default=1.05)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as old:
        checkout(arguments.revision, old)
        os.environ[TREES] = os.pathsep.join([old, str(HERE)])
        if hasattr(os, "sched_setaffinity"):
            # On one core, or the busier one would decide.
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        names = [f"{b} {tree}" for b in arguments.backends for tree in "01"]
        workers = Workers(names, "compare_images")
        for name in arguments.only or MAIN:
            for size in arguments.sizes:
                report(workers, name, size, arguments)


def checkout(revision, folder):
    """The package as it was, in a folder of its own."""
    archive = subprocess.run(
        ["git", "-C", HERE, "archive", revision, "keras_regopt"],
        check=True,
        capture_output=True,
    ).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)


def report(workers, name, size, arguments):
    """Prints the rows of one layer."""
    task = {name: name}, size, arguments.batch
    ratios = measured(workers, task, arguments.rounds)
    if any(r and r > arguments.limit for r in ratios.values()):
        again = measured(workers, task, 3 * arguments.rounds)
        ratios = {
            mode: again[mode] if ratio and ratio > arguments.limit else ratio
            for mode, ratio in ratios.items()
        }
    for mode, ratio in ratios.items():
        shown = f"{ratio:.2f}" if ratio else "fails in one"
        mark = " <- slower" if ratio and ratio > arguments.limit else ""
        print(f"{name}, {size}, {mode}: {shown}{mark}", flush=True)


def measured(workers, task, rounds):
    """This tree's time over the other's, of each mode that both have."""
    times = workers.measure(*task, rounds=rounds)
    both = {"0": {}, "1": {}}
    for (_, mode), seconds in times.items():
        tree, _, mode = mode.partition(" ")
        both[tree][mode] = seconds
    return {
        mode: seconds / both["0"][mode]
        if seconds and both["0"].get(mode)
        else None
        for mode, seconds in both["1"].items()
    }


def steps(backend, name, size, batch):
    """What a worker times: our layer of one tree, in every mode."""
    backend, _, tree = backend.partition(" ")
    folder = os.environ[TREES].split(os.pathsep)[int(tree)]
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import _image_contenders as contenders

    for mode, step in contenders.steps(
        backend, name, size, "uint8", batch, "whole"
    ):
        if not mode.startswith("Keras "):
            yield f"{tree} {mode}", step


if __name__ == "__main__":
    main()

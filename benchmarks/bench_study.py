"""One protocol for all: what each technique brings to a classifier of images.

Optimizers, schedules, regularizers, augmentations and averages of weights, each
tuned with five trials, train a small convolutional net on 500, 5,000 or 58,000
images of MNIST. A run goes on where the last one stopped; several may share
the work.
"""

import argparse
import collections
import os
import pathlib
import re
import time
import traceback

# Before Keras is imported.
os.environ["KERAS_BACKEND"] = "jax"
# One thread, so that CPU seconds are those of the work.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
)

import _study_page
import _study_rows
from _study_rows import BASELINE

DOCS = pathlib.Path(__file__).parents[1] / "docs/benchmarks"
ROWS, PAGE = DOCS / "study.jsonl", DOCS / "study.md"
KINDS = ("optimizer", "regularization", "augmentation", "schedule", "averaging")
TUNING_SEEDS = range(100, 102)
SEEDS = range(5)
MORE_SEEDS = range(5, 10)


def main():
    arguments = parsed_arguments()
    if not arguments.table:
        measure(arguments)
    PAGE.write_text(text_of_page())
    print(f"{PAGE} is written.")


def text_of_page():
    import _study_contenders
    import _study_task as task

    told = {
        "steps": task.STEPS,
        "batch": task.BATCH,
        "dev": task.DEV,
        "test": task.TEST,
        "on_the_way": task.ON_THE_WAY,
    }
    made = _study_contenders.contenders()
    names = {name: contender.kind for name, contender in made.items()}
    return _study_page.page(_study_rows.read(ROWS), names, told)


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--table", action="store_true", help="write the page alone"
    )
    parser.add_argument(
        "--mnist",
        default=os.environ.get("KERAS_REGOPT_MNIST"),
        help="path of Keras' file mnist.npz, where it is not to be downloaded",
    )
    parser.add_argument(
        "--size", type=int, default=500, choices=(500, 5000, 58000)
    )
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--only", default="", help="regular expression on the names"
    )
    parser.add_argument(
        "--shortlist",
        action="store_true",
        help="only the techniques that come first",
    )
    parser.add_argument(
        "--more",
        action="store_true",
        help="five more seeds for the best and for what is close",
    )
    parser.add_argument(
        "--minutes", type=float, default=120, help="begin nothing after these"
    )
    parser.add_argument(
        "--share",
        default="0/1",
        help="0/2 and 1/2 for two processes that share the work",
    )
    return parser.parse_args()


def measure(arguments):
    """Adds a line to the file for each technique that is not there yet."""
    import _study_contenders
    from _study_task import Task

    end = time.monotonic() + 60 * arguments.minutes
    task = Task(arguments.size, arguments.mnist)
    study = Study(task)
    made = _study_contenders.contenders()
    seeds = MORE_SEEDS if arguments.more else SEEDS
    for name in names(arguments, made, _study_contenders.SHORTLIST):
        found = _study_rows.results(_study_rows.read(ROWS), task.size)
        if name in found and set(seeds) <= set(found[name].seeds):
            continue
        if time.monotonic() > end:
            print("The time is up.")
            return
        try:
            print(study.line(made[name], found, seeds), flush=True)
        except Exception:
            # The others go on; the page says what is missing.
            traceback.print_exc()


def names(arguments, made, shortlist):
    """What this process is to measure, in this order: the baseline first."""
    part, parts = map(int, arguments.share.split("/"))
    if arguments.more:
        found = _study_rows.results(_study_rows.read(ROWS), arguments.size)
        made = {n: made[n] for n in _study_rows.close_ones(found) if n in made}
    kinds = {*arguments.kind, "control"}
    chosen = [
        name
        for name, contender in made.items()
        if name != BASELINE
        and contender.kind in kinds
        and re.search(arguments.only, name)
        and (name in shortlist or not arguments.shortlist)
    ]
    chosen = in_turn(chosen, made, shortlist)
    return [BASELINE, *chosen[part::parts]]


def in_turn(chosen, made, shortlist):
    """The shortlist, then one of each kind in turn, so that none waits long."""
    seen = collections.Counter()
    ranks = {}
    for name in chosen:
        kind = made[name].kind
        ranks[name] = len(shortlist) + seen[kind]
        seen[kind] += 1
    ranks.update((n, i) for i, n in enumerate(shortlist) if n in ranks)
    return sorted(ranks, key=ranks.get)


class Study:
    """Measures techniques on one size of training set."""

    def __init__(self, task):
        self.task = task
        # Of the baseline, for all that needs no step of its own.
        self.plain = None

    def line(self, contender, found, seeds):
        """Tunes, tests and writes a line; returns what to show of it."""
        before = time.process_time()
        baseline = found.get(BASELINE)
        base = baseline.strength if baseline else None
        shared = {}, {}
        dev = []
        if contender.name in found:
            strength = found[contender.name].strength
        else:
            dev = [
                [
                    self.run(contender, strength, base, seed, "dev", *shared)
                    for seed in TUNING_SEEDS
                ]
                for strength in contender.strengths
            ]
            strength = contender.strengths[_study_rows.best(dev)]
        outcomes = [
            self.run(contender, strength, base, seed, "test", *shared)
            for seed in seeds
        ]
        line = {
            "size": self.task.size,
            "kind": contender.kind,
            "name": contender.name,
            "strength": strength,
            "strengths": contender.strengths,
            "dev": [[round(one.accuracy, 4) for one in g] for g in dev],
            "dev_losses": [[number(one.loss) for one in g] for g in dev],
            "seeds": list(seeds),
            "accuracies": [round(one.accuracy, 5) for one in outcomes],
            "losses": [number(one.loss) for one in outcomes],
            "ways": [[round(v, 4) for v in one.way] for one in outcomes],
            "seconds": [round(one.seconds, 3) for one in outcomes],
            "cpu": round(time.process_time() - before, 1),
        }
        _study_rows.append(ROWS, line)
        self.forget(contender)
        accuracy = sum(line["accuracies"]) / len(outcomes)
        return f"{contender.name}: {accuracy:.2%}, {strength}, {line['cpu']} s"

    def run(self, contender, strength, base, seed, part, trainers, setups):
        if strength not in setups:
            setups[strength] = contender.setup(strength, base)
        setup = setups[strength]
        if contender.kind in ("augmentation", "schedule", "control") and (
            setup.callbacks is None
        ):
            trainer = self.plain = self.plain or setup.trainer(self.task, setup)
        else:
            own = contender.compiles or setup.callbacks is not None
            key = strength if own else None
            if key not in trainers:
                trainers[key] = setup.trainer(self.task, setup)
            trainer = trainers[key]
        return trainer.run(setup, seed, part, on_the_way=part == "test")

    def forget(self, contender):
        """Frees what the programs of a technique take of memory."""
        import gc

        import jax

        gc.collect()
        if contender.compiles:
            jax.clear_caches()


def number(loss):
    """A loss for JSON, `None` where it has diverged."""
    return round(loss, 5) if abs(loss) < _study_rows.WORST else None


if __name__ == "__main__":
    main()

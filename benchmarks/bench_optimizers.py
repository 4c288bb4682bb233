"""Optimizer steps with gradients given, against Keras, torch, optax, memory.

All contenders take turns, each backend in a process of its own, one thread;
CPU time, medians. The ratios hold although absolute figures differ from
machine to machine.
"""

import argparse
import json
import pathlib

from _optimizer_comparisons import (
    COLUMNS,
    LISTS,
    MODES,
    OF_FOREACH,
    QUICK,
    STEPS,
)
from _pages import filled, table, versions
from _workers import Workers

PAGE = pathlib.Path(__file__).parents[1] / "docs/benchmarks/optimizers.md"
BACKENDS = ("tensorflow", "jax", "torch")
# One cannot measure better than this whether two are equally fast.
NOISE = 1.05
# After three turns within this part of their median, a contender has no more.
SPREAD = 0.03


def main():
    arguments = parsed_arguments()
    workers = Workers(["numpy", *arguments.backends], "_optimizer_steps")
    results = Results(arguments.results)
    for name in arguments.steps:
        step = STEPS[name]
        for of in chosen_lists(step, arguments):
            if (name, of) in results:
                continue
            times = workers.measure(
                {"copy": ("memory", None, {}), **contenders(step, arguments)},
                step.kind,
                LISTS[of],
                rounds=arguments.rounds,
                spread=SPREAD,
            )
            results.add(name, of, times)
            print(f"== {name}: {of}")
            for contender in times:
                print("  ", *on_screen(step, of, times, contender), flush=True)
            if arguments.write:
                # At once, since the whole takes a while.
                PAGE.write_text(page(results))
    if arguments.write:
        PAGE.write_text(page(results))
    print(page(results))


class Results(dict):
    """The times of all contenders by step and list, those in files included.

    Args:
        paths: Files of earlier or other processes; the first is added to. The
            whole takes an hour, so it can go on where it stopped, and two
            processes can share the steps.
    """

    def __init__(self, paths):
        super().__init__()
        self._path = pathlib.Path(paths[0]) if paths else None
        for path in map(pathlib.Path, paths):
            if path.exists():
                for name, of, times in json.loads(path.read_text()):
                    self[name, of] = {tuple(key): t for key, t in times}
        self._own = []
        if self._path and self._path.exists():
            self._own = json.loads(self._path.read_text())

    def add(self, name, of, times):
        self[name, of] = times
        self._own.append([name, of, [[list(k), t] for k, t in times.items()]])
        if self._path:
            self._path.write_text(json.dumps(self._own))


def chosen_lists(step, arguments):
    if arguments.quick:
        return [small for small, large in QUICK.items() if large in step.lists]
    return [of for of in step.lists if of in arguments.lists]


def contenders(step, arguments):
    if not arguments.quick:
        return step.contenders
    return {
        name: description
        for name, description in step.contenders.items()
        if name in (step.base, "ours", "torch foreach")
    }


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS)
    parser.add_argument("--steps", nargs="+", choices=STEPS, metavar="STEP")
    parser.add_argument("--lists", nargs="+", choices=LISTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"small lists ({', '.join(QUICK)}), fewer contenders",
    )
    parser.add_argument(
        "--results",
        nargs="+",
        default=(),
        metavar="FILE",
        help="what was measured already; the first file is added to",
    )
    parser.add_argument(
        "--write", action="store_true", help=f"write the tables to {PAGE.name}"
    )
    parser.set_defaults(backends=BACKENDS, steps=STEPS, lists=LISTS)
    return parser.parse_args()


def on_screen(step, of, times, contender):
    seconds = times[contender]
    yield ", ".join(contender) + ":"
    if seconds is None:
        yield "fails"
        return
    yield f"{seconds * 1e3:.2f} ms"
    if step.moved:
        yield f"= {to_memory(step, times, contender)} x memory"
    if contender[0] != step.base and (step.base, contender[1]) in times:
        yield f"= {to_base(step, of, times, contender)} x {step.base}"
    if contender == ("ours", "torch") and ("torch foreach", "torch") in times:
        yield f"= {to_foreach(times)} x torch foreach"


def to_base(step, of, times, contender):
    """The ratio to the first contender, with the target, as text."""
    name, mode = contender
    if contender not in times or (step.base, mode) not in times:
        return ""
    seconds, base = times[contender], times[step.base, mode]
    if seconds is None or base is None:
        return "fails"
    if name == step.base:
        return "1"
    return judged(seconds / base, step.target(name, mode, of))


def to_foreach(times):
    """The ratio of ours to torch's class on lists, with the target."""
    own, other = (
        times.get((name, "torch")) for name in ("ours", "torch foreach")
    )
    if other is None:
        return ""
    return "fails" if own is None else judged(own / other, OF_FOREACH)


def judged(ratio, target):
    if target is None:
        return f"{ratio:.2f}"
    met = ratio <= (NOISE if target == 1 else target)
    return f"{ratio:.2f} (≤ {target:.2f}: {'met' if met else '**missed**'})"


def to_memory(step, times, contender):
    """The ratio to a copy that moves as many bytes as the step must."""
    seconds, copy = times.get(contender), times.get(("copy", "memory"))
    if seconds is None:
        return "fails" if contender in times else ""
    # A copy of a float32 reads 4 bytes and writes 4.
    return f"{seconds / copy * 8 / step.moved:.2f}"


def page(results):
    copies = {
        of: f"{times['copy', 'memory'] * 1e3:.3g} ms ({of})"
        for (_, of), times in results.items()
        if of in COLUMNS or of in QUICK
    }
    introduction = f"""
    One step with the gradients given: CPU time, one thread, medians of turns
    that all contenders take in one run, each backend in a process of its own.
    `make bench-optimizers` repeats it;
    {versions("keras", "tensorflow", "jax", "torch", "optax")}.

    The lists: one tensor of 4 million parameters, the 161 tensors of ResNet-50
    and 400 tensors of 1,024. "TF graph" is what `fit` runs on a CPU if nothing
    else is asked for, "TF jit" is `jit_compile=True`."""
    keras = f"""
    CPU time as a multiple of that of Keras' class of the same name; in brackets
    the target. A target of 1.00 counts as met up to {NOISE}, since a run
    repeats itself to a few percent only. Where Keras has no class of the name,
    one is written down plainly on Keras' base class
    (`benchmarks/_plain_optimizers.py`)."""
    foreach = """
    CPU time as a multiple of that of torch's own class with `foreach=True`,
    which Keras does not stand between."""
    single = """
    On lists of their own: 4,096 rows of an embedding of 500,000 x 32, and a
    whole train step of 50 dense layers of 256 units in batches of 32, with the
    ratio to the first row of each mode."""
    floors = """
    Why Adam in a TensorFlow graph stands near 0.4 of Keras on ResNet-50, where
    it is below 0.35 on the other lists: its step is the same compiled pass as
    under jit, and costs as much. XLA writes one result a loop on a CPU, so
    weight and both averages are three loops that read and write ten numbers a
    parameter, where a loop written for it needs seven (torch's, in the last
    table). Keras' thirty passes, which are slow on one large tensor, are over
    tensors of at most 9 MB here and find some of them in the processor's
    cache: the larger the cache, the nearer Keras comes. TensorFlow's own
    kernel, in the table, is no faster."""
    on_jax = """
    On JAX, Adam and whatever else is a formula of each entry compile to the
    program that Keras' class compiles to, so that the ratio is 1. XLA copies a
    weight or a state that it writes, unless it sees that all reads of it come
    before; DoG, Prodigy, Lion, ADOPT and the schedule-free two say so. LAMB
    stays near 1 on one thread: it needs the norm of its step before the step,
    so that the root and the division of each entry, half of its time, are
    computed twice, where Keras keeps them in new memory."""
    memory = f"""
    CPU time as a multiple of that of a plain copy which moves as many bytes as
    the step must read and write (28 a parameter for Adam). To copy the weights
    takes {", ".join(copies.values())}."""
    return "\n\n".join(
        [
            "# Optimizer steps",
            filled(introduction),
            "## Against Keras",
            filled(keras),
            table(["step", "on", *COLUMNS], keras_rows(results)),
            filled(floors),
            filled(on_jax),
            "## Against torch",
            filled(foreach),
            table(["step", *COLUMNS], foreach_rows(results)),
            filled(single),
            table(
                ["step", "contender", "on", "ms", "ratio"], single_rows(results)
            ),
            "## Against memory",
            filled(memory),
            table(["step", "contender", "on", *COLUMNS], memory_rows(results)),
            "",
        ]
    )


def keras_rows(results):
    for name, step in STEPS.items():
        for mode in MODES:
            cells = [
                to_base(step, of, results.get((name, of), {}), ("ours", mode))
                for of in COLUMNS
            ]
            if any(cells):
                yield [name, mode, *cells]


def foreach_rows(results):
    for name, step in STEPS.items():
        if "torch foreach" in step.contenders:
            found = [results.get((name, of), {}) for of in COLUMNS]
            yield [name, *map(to_foreach, found)]


def single_rows(results):
    alone = [
        (name, of, results[name, of])
        for name, step in STEPS.items()
        for of in step.lists
        if of not in COLUMNS and (name, of) in results
    ]
    for name, of, times in alone:
        for (contender, mode), seconds in times.items():
            cost = "fails" if seconds is None else f"{seconds * 1e3:.2f}"
            ratio = to_base(STEPS[name], of, times, (contender, mode))
            yield [name, contender, mode, cost, ratio]


def memory_rows(results):
    for name, step in STEPS.items():
        found = [results.get((name, of), {}) for of in COLUMNS]
        for contender in dict.fromkeys(c for times in found for c in times):
            if contender != ("copy", "memory"):
                cells = (to_memory(step, times, contender) for times in found)
                yield [name, *contender, *cells]


if __name__ == "__main__":
    main()

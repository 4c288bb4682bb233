"""What each regularization technique costs, and what it brings.

Cost: time and memory of a whole train step, as ratios to the same step without
the technique, in every mode of every backend; all take turns in one run.
Gain: loss and score on test data that scikit-learn carries, over ten seeds,
each technique at the best of its strengths, against none.
"""

import argparse
import os
import pathlib
import time

# Before Keras is imported, for the second part.
os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import matplotlib
import numpy as np
from _pages import filled, table, versions
from _random_layers import DROP_INS, KERAS, OURS, RELU
from _regularization_gain import BATCH, NOISE, TASKS, Trainer
from _regularization_techniques import NONE, TECHNIQUES
from _workers import Workers

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DOCS = pathlib.Path(__file__).parents[1] / "docs/benchmarks"
COST, GAIN = DOCS / "regularization_cost.md", DOCS / "regularization_gain.md"
BACKENDS = ("tensorflow", "jax", "torch")
MODES = ("TF graph", "TF jit", "JAX", "torch")
NETWORKS = ("conv", "dense")
LOOP, CALL = ("passes", "loop"), ("passes", "MonteCarlo")
TUNING_SEEDS = range(100, 102)
TEST_SEEDS = range(10)
# The techniques of Keras, which are there to compare with.
PEERS = [name for name in TECHNIQUES if name.startswith("Keras")]


def main():
    arguments = parsed_arguments()
    if "alone" in arguments.parts:
        print(alone_section(measured_alone(arguments.rounds)))
    if "cost" in arguments.parts:
        results = measured_costs(arguments.rounds)
        page = cost_page(results, measured_alone(arguments.rounds))
        finish(COST, page, arguments.write)
    if "gain" in arguments.parts:
        results = {title: gains(title) for title in arguments.tasks}
        finish(GAIN, gain_page(results), arguments.write)
        if arguments.write:
            draw(results, GAIN.with_suffix(".png"))


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=("cost", "gain", "alone"),
        default=("cost", "gain"),
        help="`alone` is a quick part of the cost: the random layers alone",
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--write", action="store_true", help="write the pages into the docs"
    )
    return parser.parse_args()


def finish(path, page, write):
    print(page)
    if write:
        path.write_text(page)


# ---------------------------------------------------------------- what it costs


def measured_costs(rounds):
    """A dict: (technique, network, mode) to seconds, and to bytes of memory."""
    workers = Workers(BACKENDS, "_regularization_cost")
    found = {}
    for network in NETWORKS:
        groups = {t.group for t in TECHNIQUES.values()} - {NONE}
        for group in sorted(groups):
            names = [NONE] + [
                name
                for name, technique in TECHNIQUES.items()
                if technique.group == group
                and not (network == "dense" and technique.only == "images")
            ]
            times = workers.measure(
                {name: name for name in names}, network, rounds=rounds
            )
            peaks = workers.peaks()
            for name, mode in times:
                if name == NONE:
                    continue
                seconds, memory = (
                    ratio(result, (name, mode), (NONE, mode))
                    for result in (times, peaks)
                )
                against = TECHNIQUES[name].against
                peer = against and ratio(times, (name, mode), (against, mode))
                found[name, network, mode] = seconds, memory, peer
                print(name, network, mode, seconds, memory, peer, flush=True)
    times = workers.measure({LOOP[1]: LOOP, CALL[1]: CALL}, "", rounds=rounds)
    for mode in MODES:
        found[CALL[1], "", mode] = (
            ratio(times, (LOOP[1], mode), (CALL[1], mode)),
            None,
            None,
        )
    return found


def measured_alone(rounds):
    """A dict: (layer, mode) to (ours to Keras', ours to a ReLU)."""
    workers = Workers(BACKENDS, "_random_layers")
    found = {}
    for name in DROP_INS:
        pairs = [(name, OURS), (name, KERAS), (RELU, None)]
        times = workers.measure({pair: pair for pair in pairs}, rounds=rounds)
        for mode in MODES:
            found[name, mode] = tuple(
                ratio(times, (pairs[0], mode), (other, mode))
                for other in pairs[1:]
            )
            print(name, mode, *found[name, mode], flush=True)
    return found


# At most this, of the time of Keras' layer.
ALONE_TARGETS = {"TF graph": 0.5, "TF jit": 0.02, "JAX": 0.15, "torch": 0.8}


def alone_section(found):
    """The table of the layers that stand in for Keras'."""
    introduction = """
    The layers that stand in for Keras', alone: a call in training with its
    gradient, of 32 x 32 x 32 x 64 floats, as a part of the time that Keras'
    layer takes, and in brackets as a multiple of a ReLU's."""
    rows = []
    for name in DROP_INS:
        cells = []
        for mode in MODES:
            to_keras, to_relu = found[name, mode]
            if to_keras is None:
                cells.append("fails")
                continue
            most = ALONE_TARGETS[mode] if name == "Dropout" else 1.1
            cells.append(
                f"{verdict(f'{to_keras:.3f}', to_keras <= most)} "
                f"({to_relu:.1f})"
            )
        rows.append([name, *cells])
    parts = ["## Random layers alone", filled(introduction)]
    return "\n\n".join([*parts, table(["layer", *MODES], rows)])


def ratio(results, one, other):
    one, other = results.get(one), results.get(other)
    return one / other if one and other else None


# What draws a number for each input or weight.
DRAWS = ("Dropout", "DropBlock2D", "DropConnect", "ConcreteDropout")


# At most this, in a mode or in all, on a network: a technique to its base.
def targets(name, mode):
    """The bound on the ratio that is to be met, and to what, or `None`."""
    technique = TECHNIQUES[name]
    if technique.penalty and name not in PEERS and mode == "TF jit":
        return 1.15, NONE
    if name in DRAWS and mode in ("TF jit", "JAX"):
        return 1.15, NONE
    if name in DRAWS and mode == "TF graph":
        return 1.3, NONE
    if name in ("StochasticDepth", "SpatialDropout2D"):
        return 1.1, technique.against
    if name == "GhostBatchNormalization":
        return 1.3, technique.against
    return None


def cost_page(found, alone):
    introduction = f"""
    A whole train step (`train_on_batch`, SGD, batches of 32) with a technique
    everywhere in the network, as a multiple of the same step without it: CPU
    time, one thread, medians of turns that all contenders take in one run, each
    backend in a process of its own. "TF graph" is what `fit` runs on a CPU if
    nothing else is asked for, "TF jit" is `jit_compile=True`. In brackets, what
    the step takes of memory beyond what lies there before it, as a multiple
    too. `make bench-regularization` repeats it;
    {versions("keras", "tensorflow", "jax", "torch")}.

    The networks: a residual net of three convolutions with 32 and 64 filters on
    images of 32 x 32, and one of 20 dense layers of 256 units, in which the
    weights are many for the work that a batch makes: the harder test for what
    acts on weights."""
    parts = ["# What regularization costs", filled(introduction)]
    for network, title in (
        ("conv", "Convolutions"),
        ("dense", "Dense layers"),
    ):
        rows = [
            [name, *(cost_cell(found, name, network, mode) for mode in MODES)]
            for name in TECHNIQUES
            if any((name, network, mode) in found for mode in MODES)
        ]
        parts += [f"## {title}", table(["technique", *MODES], rows)]
    parts.append(alone_section(alone))
    parts += ["## Targets", table(*target_rows(found)), filled(REASONS)]
    return "\n\n".join(parts) + "\n"


REASONS = """
    Where a target is missed: a penalty on the weights of wide layers reads them
    all once more, and its gradient once more, for a batch of 32 that computes
    little with them; with `l2=` and `l1=`, the optimizers of this package carry
    it within the update instead."""


def cost_cell(found, name, network, mode):
    seconds, memory, _ = found.get((name, network, mode), (None,) * 3)
    if seconds is None:
        return "fails"
    return f"{seconds:.2f}" + (f" ({memory:.2f})" if memory else "")


def target_rows(found):
    head = ["what", "to", "target", "network", *MODES]
    rows = {}
    for (name, network, mode), (seconds, _, peer) in found.items():
        if name == CALL[1]:
            key = (
                f"{name}, 20 samples",
                "a loop of 20 calls",
                "5 x faster",
                "",
            )
            shown = verdict(f"{seconds:.1f} x", seconds >= 5)
        elif targets(name, mode):
            most, base = targets(name, mode)
            value = seconds if base == NONE else peer
            if value is None:
                continue
            key = (name, base, f"≤ {most}", network)
            shown = verdict(f"{value:.2f}", value <= most)
        else:
            continue
        rows.setdefault(key, {})[mode] = shown
    return head, [
        [*key, *(cells.get(mode, "") for mode in MODES)]
        for key, cells in rows.items()
    ]


def verdict(text, met):
    return f"{text}: {'met' if met else '**missed**'}"


# --------------------------------------------------------------- what it brings


def gains(title):
    """A dict: technique to (strengths, losses, scores) over the test seeds."""
    task = TASKS[title]()
    found, tuned = {}, {}
    for name, technique in TECHNIQUES.items():
        if technique.only == "images" and len(task.parts["train"][0].shape) < 4:
            continue
        if technique.only == "classes" and not task.classes:
            continue
        before = time.process_time()
        candidates = [[(technique, s)] for s in technique.strengths]
        found[name], tuned[name] = chosen_and_tested(task, candidates)
        report(title, name, found, time.process_time() - before)
    name, candidates = combinations(tuned)
    found[name], _ = chosen_and_tested(task, candidates)
    report(title, name, found, 0)
    return found


def chosen_and_tested(task, candidates):
    """Takes the best candidate on the tuning data, and tests it.

    Returns:
        (strengths, losses, scores), and the loss on the tuning data with the
        candidate.
    """
    best = None
    for chosen in candidates:
        trainer = Trainer(task, chosen)
        losses = [trainer.run(seed, "tuning")[0] for seed in TUNING_SEEDS]
        loss = np.mean(losses)
        loss = loss if np.isfinite(loss) else np.inf
        if best is None or loss < best[0]:
            best = loss, chosen, trainer
    loss, chosen, trainer = best
    results = [trainer.run(seed, "test") for seed in TEST_SEEDS]
    losses, scores = np.transpose(results)
    return ([s for _, s in chosen], losses, scores), (loss, chosen)


def combinations(tuned):
    """The best of each group together, and all but one of these."""
    best = {}
    for name, (loss, chosen) in tuned.items():
        group = TECHNIQUES[name].group
        if group != NONE and loss < best.get(group, (tuned[NONE][0],))[0]:
            best[group] = loss, name, chosen
    names = " + ".join(name for _, name, _ in best.values()) or NONE
    whole = [pair for _, _, chosen in best.values() for pair in chosen]
    whole = whole or [(TECHNIQUES[NONE], None)]
    parts = [whole[:i] + whole[i + 1 :] for i in range(len(whole))]
    return f"combination of {names}", [whole, *(p for p in parts if p)]


def report(title, name, found, seconds):
    row = " | ".join(gain_cells(found, name))
    print(f"{title} | {row} | {seconds:.0f} s", flush=True)
    keras.backend.clear_session()


def gain_cells(found, name):
    strengths, losses, scores = found[name]
    shown = ", ".join(f"{s:g}" for s in strengths if s is not None)
    if name == NONE:
        against = ""
    else:
        mean, error = gap(found, name)
        against = f"{mean:+.3f} ± {error:.3f}"
    return [name, shown, spread(losses, 3), spread(100 * scores, 1), against]


def spread(values, digits):
    if np.max(np.abs(values)) > 1000:
        return f"up to {np.max(np.abs(values)):.0e}"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


def gap(found, name):
    """The difference in the loss to none, by seeds in common."""
    gaps = np.minimum(found[name][1], 1e9) - found[NONE][1]
    return gaps.mean(), gaps.std(ddof=1) / len(gaps) ** 0.5


def gain_page(results):
    introduction = f"""
    Three data sets that scikit-learn carries, each so small that a network
    overfits. Of the training labels of classes, {NOISE:.0%} are drawn again at
    random. Each technique is in the same network, with the same initial weights
    and batches, at the best of up to three strengths: the one with the lowest
    mean loss on a tuning set from {len(TUNING_SEEDS)} seeds. It trains again
    from {len(TEST_SEEDS)} others, and is evaluated on a test set. Adam, batches
    of {BATCH}, a warm-up of 30 steps and a cosine decay; no early stopping, no
    weight decay. What does not help stays in the tables.
    `make bench-regularization` repeats it; {versions("keras", "jax")}.

    Mean and standard deviation over the seeds of the loss on the test set
    (cross-entropy, or mean squared error of the standardized target) and of the
    score (accuracy, or the coefficient of determination, in percent); the
    difference in the loss to none, seed by seed, with its standard error: below
    zero is better. The combination is the best technique of each group that is
    better than none, or all of these but one, whichever is best on the tuning
    set; the strengths are in the order of the names.

    The standard error is that of the seeds alone; another split may change the
    order of neighbours. What is made for large or deep networks, for other
    data or for fairness, cannot show here what it is good for."""
    parts = [
        "# What regularization brings",
        filled(introduction),
        "![Difference in the loss, by technique](regularization_gain.png)",
    ]
    head = ["technique", "strength", "test loss", "score, %", "against none"]
    for title, found in results.items():
        order = sorted(found, key=lambda name: found[name][1].mean())
        rows = [gain_cells(found, name) for name in order]
        better, worse = (
            "; ".join(n for n in order if beyond_noise(sign, found, n))
            or "none"
            for sign in (-1, 1)
        )
        after = f"""
        Better than none by more than two standard errors: {better}.

        Worse by as much: {worse}."""
        parts += [
            f"## {title}",
            filled(DESCRIPTIONS[title]),
            table(head, rows),
            filled(after),
        ]
    return "\n\n".join(parts) + "\n"


DESCRIPTIONS = {
    "Digits": "300 images of 8 x 8 pixels to train with, 500 to tune with, 997 "
    "to test; a residual net of three convolutions, 400 steps.",
    "Breast cancer": "150 tumours of 30 measurements to train with, 200 to "
    "tune with, 219 to test; a residual net of four dense layers, 300 steps.",
    "Diabetes": "150 patients of 10 measurements to train with, 140 to tune "
    "with, 152 to test; a residual net of four dense layers, 300 steps.",
}


def beyond_noise(sign, found, name):
    if name == NONE:
        return False
    mean, error = gap(found, name)
    return sign * mean > 2 * error


def draw(results, path):
    """A picture of the differences, with two standard errors."""
    rows = max(len(found) for found in results.values())
    figure, axes = plt.subplots(
        1,
        len(results),
        figsize=(5 * len(results), 0.25 * rows + 1),
        layout="constrained",
        squeeze=False,
    )
    for axis, (title, found) in zip(axes[0], results.items(), strict=True):
        names = [n for n in found if n != NONE]
        names.sort(key=lambda name: -gap(found, name)[0])
        means, errors = np.transpose([gap(found, name) for name in names])
        colors = np.where(
            means < -2 * errors, "C2", np.where(means > 2 * errors, "C3", "C7")
        )
        axis.axvline(0, color="black", linewidth=0.8)
        axis.barh(range(len(names)), means, xerr=2 * errors, color=colors)
        shown = [n.partition(" of ")[0] for n in names]
        shown = [n.replace(" and ", "\n+ ") for n in shown]
        axis.set_yticks(range(len(names)), shown, fontsize=8)
        # One that diverges would hide the others.
        axis.set_xlim(1.3 * min(means.min(), -0.01), 0.8 * -means.min())
        axis.set_title(title)
    figure.suptitle("Difference in the test loss to none")
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    main()

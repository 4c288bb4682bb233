"""The page of bench_study.py, made of its lines whatever is there of them."""

import numpy as np
from _pages import filled, table, versions
from _study_rows import (
    BASELINE,
    differences,
    interval,
    results,
    share_of_steps,
    verdict,
)

# Techniques that are named for a kind.
FIRST = 3
HEAD = [
    "technique",
    "kind",
    "accuracy, %",
    f"against {BASELINE}",
    "interval",
    "loss against it",
    "steps to its end, %",
    "time",
    "chosen",
    "seeds",
]


def page(lines, names, task):
    """The page as text.

    Args:
        lines: The lines of the file, dicts.
        names: Names of all techniques, those not measured included.
        task: A dict: `steps` by size, `batch`, `dev` and `test` images, and
            `on_the_way`, those of the dev images looked at on the way.
    """
    found = {size: results(lines, size) for size in sorted(task["steps"])}
    # Nothing can be said without the baseline.
    found = {size: of for size, of in found.items() if BASELINE in of}
    parts = ["# What to try first", filled(introduction(found, names))]
    parts += [
        f"## {size:,} images: what to try first\n\n{first(of)}"
        for size, of in found.items()
    ]
    if len(found) > 1:
        parts += ["## By the number of images", by_size(found)]
    parts += ["## How it was measured", filled(protocol(task))]
    parts += ["## How to read it", filled(HOW_TO_READ)]
    parts += [section(size, of, names, task) for size, of in found.items()]
    parts += ["## What it cost", filled(cost(found))]
    parts += ["## What is not in it", filled(NOT_IN_IT)]
    return "\n\n".join(parts) + "\n"


def introduction(found, names):
    measured = "; ".join(
        f"{len(of)} on {size:,} images" for size, of in found.items()
    )
    return f"""
    Optimizers, schedules, regularizers, augmentations and averages of weights
    in one protocol: the same small net on MNIST, as many steps for all, five
    trials to tune each, and a test on images that nobody was tuned on. Of
    {len(names)} techniques, there are measured so far: {measured or "none"}.
    `make bench-study` repeats it and goes on where it stopped;
    {versions("keras", "jax")}."""


def gaps(of, name):
    return differences(of[name], of[BASELINE])


def better(of, sign=1):
    """Names of what is clearly better, or worse, the best first."""
    order = sorted(of, key=lambda name: -of[name].accuracy)
    return [
        name
        for name in order
        if name != BASELINE and verdict(gaps(of, name)) == sign
    ]


def kinds_of(of):
    kinds = (of[name].kind for name in of)
    return [kind for kind in dict.fromkeys(kinds) if kind != "control"]


def first(of):
    """A list of what helped, by kind, the kind that helped most first."""
    clear = better(of)
    lists = {
        kind: [name for name in clear if of[name].kind == kind]
        for kind in kinds_of(of)
    }
    by_gain = sorted(
        lists,
        key=lambda kind: -max([gaps(of, n).mean() for n in lists[kind]] + [0]),
    )
    return "\n".join(line(of, kind, lists[kind]) for kind in by_gain)


def line(of, kind, names):
    count = sum(
        one.kind == kind and one.name != BASELINE for one in of.values()
    )
    if not names:
        text = f"nothing helped clearly, of {count} measured"
    else:
        shown = [
            f"{n} ({gaps(of, n).mean():+.1f} points)" for n in names[:FIRST]
        ]
        text = f"{', '.join(shown)}; {len(names)} of {count} helped clearly"
    return filled(f"- **{kind}**: {text}.")


def by_size(found):
    """The gains of what helped on any size, side by side."""
    clear = [
        name
        for name in dict.fromkeys(
            n for of in found.values() for n in better(of)
        )
        if sum(name in of for of in found.values()) > 1
    ]
    rows = [
        [name]
        + [
            f"{gaps(of, name).mean():+.2f}" if name in of else ""
            for of in found.values()
        ]
        for name in clear
    ]
    text = """
    Points of accuracy more than the baseline, of what helped clearly on one
    size and was measured on more than one."""
    head = ["technique"] + [f"{size:,} images" for size in found]
    return "\n\n".join([filled(text), table(head, rows)])


def section(size, of, names, task):
    baseline = of[BASELINE]
    order = sorted(of, key=lambda name: -of[name].accuracy)
    rows = [cells(of, name) for name in order]
    missing = [name for name in names if name not in of]
    unclear = len(of) - 1 - len(better(of)) - len(better(of, -1))
    by_chance = max(1, round((len(of) - 1) / 20))
    before = f"""
    {task["steps"][size]:,} steps of {task["batch"]} images. The baseline
    reaches {baseline.accuracy:.2f} % on the test images and, at its end,
    {baseline.way[-1]:.2f} % on those that are looked at on the way."""
    after = f"""
    Better than {BASELINE}, the interval above zero:
    {"; ".join(better(of)) or "none"}.

    Worse, the interval below zero: {"; ".join(better(of, -1)) or "none"}.

    Neither can be said of {unclear}. Of {len(of) - 1} techniques that do
    nothing, about {by_chance} would still seem better or worse.

    Not measured on this size yet: {"; ".join(missing) or "none"}."""
    return "\n\n".join(
        [
            f"## {size:,} images",
            filled(before),
            table(HEAD, rows),
            filled(after),
        ]
    )


def cells(of, name):
    """A row of the table."""
    result, baseline = of[name], of[BASELINE]
    share = share_of_steps(result, baseline)
    star = "*" if result.at_an_end else ""
    against, between, loss = "", "", ""
    if name != BASELINE:
        values = gaps(of, name)
        low, high = interval(values)
        against = with_error(values, 2)
        between = f"{low:+.2f} to {high:+.2f}"
        loss = with_error(differences(result, baseline, "losses"), 3)
    return [
        name,
        result.kind,
        f"{result.accuracy:.2f}",
        against,
        between,
        loss,
        "not reached" if share is None else f"{100 * share:.0f}",
        f"{result.step / baseline.step:.1f}",
        f"{result.strength:.3g}{star}",
        str(len(result.seeds)),
    ]


def with_error(values, digits):
    """Mean and standard error of differences."""
    error = values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():+.{digits}f} ± {error:.{digits}f}"


def protocol(task):
    return f"""
    **Data.** MNIST. {task["dev"]:,} of its training images, drawn once, are the
    dev set. Each seed draws its own training set from the others, its own order
    of batches of {task["batch"]} and its own initial weights, the same for all
    techniques. {task["test"]:,} of the test images, drawn once, are the test
    set.

    **Net.** Three convolutions with 8, 16 and 16 filters, the last one a
    residual branch, and two dense layers; ReLU. No image is made smaller.

    **Baseline.** {BASELINE} with a warm-up over a tenth of the steps and a
    cosine decay to zero. All others train as it does but for the one technique.
    Optimizers keep this schedule, except for those that by their papers need
    none (ScheduleFree, DoG, Prodigy), which have a constant rate.

    **Budget.** Five trials for each, also for the baseline, each from two
    seeds. Of those within half a point of the highest mean accuracy on the dev
    set, the one with the lowest loss wins. Of optimizers and schedules the
    learning rate is tuned, from 0.32 to 32 times the default of the class by
    factors of 3.2. All others train at the rate that won for the baseline, and
    their strength is tuned; those without a strength have the rate tuned once
    more, from 0.32 to 3.2 times as high, and "{BASELINE}, tuned again" shows
    what such a second round brings by itself. The test is with other seeds than
    the tuning, five or, where it is close, ten.

    **Length.** As many steps for all. What takes two gradients a step
    (SharpnessAwareModel, and what is said in the column of the time) still
    makes all of them, and GradientAccumulation half as many updates."""


HOW_TO_READ = f"""
Accuracy: the mean over the seeds, on the test images. Against {BASELINE}:
points of accuracy more, seed by seed, mean and standard error; the interval is
of a bootstrap over the seeds, 95 %, widened for their small number (Hesterberg
2015, arXiv 1411.5279), and covers the draw of the training set, the initial
weights and the order. Loss: cross-entropy on the test images, less that of the
baseline; below zero is better, and 1,000 stands for what has diverged. Steps:
the part of its steps after which a technique has, in the mean over the seeds,
reached the accuracy that the baseline has at its end, on 500 images of the dev
set, looked at after each tenth; a rate that has not decayed yet makes this
later. Time: CPU seconds of a training on one thread, compilation left out, as a
multiple of the baseline's; other work on the machine makes it inexact. Chosen:
the trial that won, for optimizers and schedules the multiple of the default
rate; with a star, the first or the last that was tried, so that more may be had
beyond.

The net is small and so are the images: what is made for large nets, long
trainings, colours or many classes cannot show here what it is good for."""

NOT_IN_IT = """
What acts on colours or channels, since the images have one channel; what
changes the length of a training (EarlyStopping and its criteria); what needs
all data in one step (LBFGS, full batch); what changes the number of nets
(SnapshotEnsemble) or is for inference alone (MonteCarlo, Averaged,
TemperatureScaling); what is for sequences, tables, text, audio, fairness,
sparsity within an activity (KLSparsity) or fine-tuning (layerwise_decay,
GradualUnfreezing)."""


def cost(found):
    sentences = [
        f"{len(of)} techniques on {size:,} images: "
        f"{sum(one.cpu for one in of.values()) / 60:.0f} CPU minutes, "
        f"{np.median([one.cpu for one in of.values()]):.0f} CPU seconds for "
        f"the median technique, compilation, tuning and test included."
        for size, of in found.items()
    ]
    return " ".join(sentences) or "Nothing yet."

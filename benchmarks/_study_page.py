"""The page of bench_study.py, made of its lines whatever is there of them."""

import collections

import numpy as np
from _pages import filled, table, versions
from _study_protocol import HOW_TO_READ, NOT_IN_IT, protocol
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
# Of what is missing, the number up to which it is told by name.
LISTED = 40
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
        names: A dict: name to kind, of all techniques, those not measured
            included.
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
        text = f"no accuracy rose clearly, of {count} measured"
    else:
        shown = [
            f"{n} ({gaps(of, n).mean():+.1f} points)" for n in names[:FIRST]
        ]
        text = f"{', '.join(shown)}; {len(names)} of {count} clearly helped"
    lower = [
        f"{name} ({differences(of[name], of[BASELINE], 'losses').mean():+.2f})"
        for name in calmer(of, kind)
        if name not in names
    ]
    if lower:
        text += f". Lower in the loss alone: {', '.join(lower[:FIRST])}"
    return filled(f"- **{kind}**: {text}.")


def calmer(of, kind):
    """Names of a kind whose loss is clearly lower, the lowest first."""
    chosen = [
        name
        for name, result in of.items()
        if result.kind == kind
        and name != BASELINE
        and verdict(differences(result, of[BASELINE], "losses")) < 0
    ]
    return sorted(chosen, key=lambda name: of[name].loss)


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
    missing = unmeasured(names, of)
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

    Not measured on this size yet: {missing}."""
    return "\n\n".join(
        [
            f"## {size:,} images",
            filled(before),
            table(HEAD, rows),
            filled(after),
        ]
    )


def unmeasured(names, of):
    """What is missing by name, or by kind where it is much."""
    missing = [name for name in names if name not in of]
    if len(missing) <= LISTED:
        return "; ".join(missing) or "none"
    kinds = collections.Counter(names[name] for name in missing)
    shown = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    return f"{len(missing)} of {len(names)} ({shown})"


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


def cost(found):
    sentences = [
        f"{len(of)} techniques on {size:,} images: "
        f"{sum(one.cpu for one in of.values()) / 60:.0f} CPU minutes, "
        f"{np.median([one.cpu for one in of.values()]):.0f} CPU seconds for "
        f"the median technique, compilation, tuning and test included."
        for size, of in found.items()
    ]
    return " ".join(sentences) or "Nothing yet."

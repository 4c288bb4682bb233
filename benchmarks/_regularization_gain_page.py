"""What regularization techniques bring: measured and written as a page."""

import time

import keras
import matplotlib
import numpy as np
from _pages import filled, table, versions
from _regularization_gain import BATCH, NOISE, TASKS, Trainer
from _regularization_techniques import NONE, TECHNIQUES

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TUNING_SEEDS = range(100, 102)
TEST_SEEDS = range(10)


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
    overfits. Of the training labels of classes, {NOISE:.0%} are drawn anew at
    random. Each technique is in the same network, with the same initial weights
    and batches, at the best of up to three strengths: the one with the lowest
    mean loss on a tuning set from {len(TUNING_SEEDS)} seeds. It trains anew
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

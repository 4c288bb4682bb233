"""What augmentation brings: accuracy on test images, technique by technique.

Small networks on small sets of images that scikit-learn carries, trained for
equally many epochs from ten seeds.
"""

import argparse
import functools
import os
import pathlib
import time

# Before Keras is imported: the fastest here.
os.environ.setdefault("KERAS_BACKEND", "jax")

import matplotlib
import numpy as np
from _image_gain import BATCH, TASKS, Trainer
from _pages import filled, table, versions

from keras_regopt import augmentation as a

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PAGE = pathlib.Path(__file__).parents[1] / "docs/benchmarks"
PAGE = PAGE / "augmentation_gain.md"
NONE = "none"
digits_moved = functools.partial(
    a.RandomAffine,
    rotation=0.03,
    zoom=0.1,
    translation=0.1,
    fill_mode="constant",
)
# At the settings of their papers, where these say them, and not tuned.
TECHNIQUES = {
    "Digits": {
        NONE: None,
        "shifts and rotations": lambda: digits_moved(flip=None),
        "shifts, rotations and flips": lambda: digits_moved(flip="both"),
        "RandAugment": lambda: a.RandAugment(),
        "TrivialAugmentWide": lambda: a.TrivialAugmentWide(),
        "MixUp": lambda: a.MixUp(),
        "CutMix": lambda: a.CutMix(),
    },
    "Photographs": {
        NONE: None,
        "flips and shifts": lambda: a.RandomAffine("horizontal", 0, 0, 0.1),
        "flips both ways and shifts": lambda: a.RandomAffine("both", 0, 0, 0.1),
        "RandAugment": lambda: a.RandAugment(),
        "TrivialAugmentWide": lambda: a.TrivialAugmentWide(),
        "MixUp": lambda: a.MixUp(),
        "CutMix": lambda: a.CutMix(),
    },
}


def main():
    arguments = parsed_arguments()
    results = {
        title: results_of(title, range(arguments.seeds))
        for title in arguments.tasks
    }
    text = page(results, arguments.seeds)
    print(text)
    if arguments.write:
        PAGE.write_text(text)
        draw(results, PAGE.with_suffix(".png"))


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--write", action="store_true", help=f"write {PAGE.name} and its figure"
    )
    return parser.parse_args()


def results_of(title, seeds):
    """A dict: technique to (losses, accuracies) over the seeds."""
    trainer = Trainer(TASKS[title]())
    found = {}
    for name, make in TECHNIQUES[title].items():
        before = time.process_time()
        augment = make and make()
        found[name] = np.transpose([trainer.run(s, augment) for s in seeds])
        seconds = time.process_time() - before
        shown = " | ".join(cells(found, name))
        print(f"{title} | {shown} | {seconds:.0f} s", flush=True)
    return found


def cells(found, name):
    losses, accuracies = found[name]
    against = (
        "" if name == NONE else "{:+.1f} ± {:.1f}".format(*gap(found, name))
    )
    return [
        name,
        spread(100 * accuracies, 1),
        against,
        spread(losses, 3),
    ]


def spread(values, digits):
    """Mean and standard error."""
    return f"{values.mean():.{digits}f} ± {error(values):.{digits}f}"


def error(values):
    return values.std(ddof=1) / len(values) ** 0.5


def gap(found, name):
    """The accuracy less that with none, in points, by seeds in common."""
    gaps = 100 * (found[name][1] - found[NONE][1])
    return gaps.mean(), error(gaps)


def page(results, seeds):
    introduction = f"""
    Two small tasks with images that scikit-learn carries, on which a small
    convolutional network overfits. Each technique is mapped over the batches of
    {BATCH} in `tf.data`, at the settings of its paper or at those named, not
    tuned; the network, its initial weights, the order of the images and the
    number of epochs are the same for all. Adam, a warm-up of 30 steps and a
    cosine decay. `make bench-image-gain` repeats it;
    {versions("keras", "tensorflow", "jax")}.

    Accuracy and cross-entropy on the test images: mean and standard error over
    {seeds} seeds, and the difference in the accuracy to none, seed by seed.
    The standard error is that of the seeds alone; other images may change the
    order of neighbours. What is made for large networks, long trainings or
    thousands of classes cannot show here what it is good for."""
    parts = [
        "# What augmentation brings",
        filled(introduction),
        "![Difference in the accuracy, by technique](augmentation_gain.png)",
    ]
    head = ["technique", "accuracy, %", "against none", "test loss"]
    for title, found in results.items():
        order = sorted(found, key=lambda name: -found[name][1].mean())
        rows = [cells(found, name) for name in order]
        better, worse = (
            "; ".join(n for n in order if beyond_noise(sign, found, n))
            or "none of them"
            for sign in (1, -1)
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
    "Digits": "300 images of 8 x 8 pixels to train with, 1497 to test with, 40 "
    "epochs. Digits do not bear flips, as the table shows.",
    "Photographs": "Patches of 32 x 32 pixels of the two photographs, at half "
    "their size, upright or turned by half a turn: which photograph is it, and "
    "which way up? 300 to train with, 1000 to test with, from other parts of "
    "the photographs, 30 epochs. A horizontal flip keeps what is up; a "
    "vertical flip turns it over, and so makes labels wrong.",
}


def beyond_noise(sign, found, name):
    if name == NONE:
        return False
    mean, error = gap(found, name)
    return sign * mean > 2 * error


def draw(results, path):
    """A picture of the differences, with two standard errors."""
    figure, axes = plt.subplots(
        1,
        len(results),
        figsize=(4.5 * len(results), 2.6),
        layout="constrained",
        squeeze=False,
    )
    for axis, (title, found) in zip(axes[0], results.items(), strict=True):
        names = [n for n in found if n != NONE]
        names.sort(key=lambda name: gap(found, name)[0])
        means, errors = np.transpose([gap(found, name) for name in names])
        colors = np.where(
            means > 2 * errors, "C2", np.where(means < -2 * errors, "C3", "C7")
        )
        axis.axvline(0, color="black", linewidth=0.8)
        axis.barh(range(len(names)), means, xerr=2 * errors, color=colors)
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set_title(title)
        axis.set_xlabel("accuracy less that with none, points")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()

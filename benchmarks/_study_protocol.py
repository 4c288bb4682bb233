"""What the page of bench_study.py says of how it was measured."""

from _study_rows import BASELINE


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
    (SharpnessAwareModel) still makes all of them, as its time shows, and
    GradientAccumulation makes half as many updates."""


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

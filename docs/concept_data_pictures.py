"""Draws what the pages in docs/concepts show of data, errors and searches."""

import tempfile

import keras_tuner
import matplotlib.pyplot as plt
import numpy as np

import keras_regopt as kr


def bias_variance():
    """Training and dev errors of polynomials by their degree."""
    random = np.random.default_rng(1)
    x = random.uniform(-1, 1, 60)
    y = np.sin(4 * x) + random.normal(0, 0.3, 60)
    train, dev, _ = kr.diagnosis.split(x, y, (0.3, 0.5, 0.2))
    degrees = range(13)
    fits = [
        np.polynomial.Polynomial.fit(*train, degree, domain=(-1, 1))
        for degree in degrees
    ]
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for (x, y), name in ((train, "training"), (dev, "dev")):
        errors = [np.mean((fit(x) - y) ** 2) ** 0.5 for fit in fits]
        ax.plot(degrees, errors, ".-", label=name)
    ax.axhline(0.3, color="0.6", ls="--", label="the noise")
    ax.set(xlabel="degree", ylabel="error", ylim=(0, 1.2))
    ax.legend(frameon=False)
    return figure


def splits():
    """The best of equally good models, on the dev set and on the test set."""
    random, rows, truth = np.random.default_rng(0), 200, 0.8
    dev, test = random.binomial(rows, truth, (2, 500, 200)) / rows
    best = np.maximum.accumulate(dev, axis=1)
    chosen = [dev[:, : k + 1].argmax(axis=1) for k in range(200)]
    honest = [test[np.arange(500), c].mean() for c in chosen]
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    models = np.arange(1, 201)
    ax.semilogx(models, best.mean(axis=0), label="dev set, which chose it")
    ax.semilogx(models, honest, label="test set")
    ax.set(xlabel="models tried, each right in 80 %", ylabel="accuracy")
    ax.legend(frameon=False)
    return figure


def search():
    """Where a grid, a random and a Bayesian search try, of which one counts."""
    values = np.linspace(0, 1, 5)
    grid = np.array([(a, b) for a in values for b in values])
    figure, axes = plt.subplots(
        1, 3, figsize=(8, 3), layout="constrained", sharey=True
    )
    for ax, points, name in (
        (axes[0], grid, "grid"),
        (axes[1], trials(kr.tuning.RandomOracle), "random"),
        (axes[2], trials(kr.tuning.BayesianOracle), "Bayesian"),
    ):
        best = min(loss(a, b) for a, b in points)
        a, b = np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 60))
        ax.contour(a, b, loss(a, b), levels=10, colors="0.85")
        ax.plot(*np.transpose(points), ".")
        ax.set(title=f"{name}: best {best:.0e}", xlabel="one that matters")
    axes[0].set_ylabel("one that hardly does")
    return figure


def loss(a, b):
    """What the searches lower: zero at its lowest."""
    return (a - 0.63) ** 2 + 0.02 * (b - 0.4) ** 2


class Recorded(keras_tuner.Tuner):
    """A search without trainings."""

    def run_trial(self, trial, **options):
        values = trial.hyperparameters.values
        return {"loss": loss(values["a"], values["b"])}


def trials(oracle_class, number=25):
    """The pairs that an oracle tries."""
    space = keras_tuner.HyperParameters()
    for name in "ab":
        space.Float(name, 0.0, 1.0)
    oracle = oracle_class(
        keras_tuner.Objective("loss", "min"),
        max_trials=number,
        hyperparameters=space,
        seed=0,
    )
    with tempfile.TemporaryDirectory() as directory:
        Recorded(oracle, directory=directory).search(verbose=0)
    tried = [trial.hyperparameters.values for trial in oracle.trials.values()]
    return [[values[name] for name in "ab"] for values in tried]


def cross_validation():
    """Which rows are left out, and those of a search within one fold."""
    folds = np.arange(10) // 2
    outer = np.array([np.where(folds == k, 2, 0) for k in range(5)])
    inner = np.zeros((4, 10), int)
    inner[:, :2] = 2
    for k, row in enumerate(inner):
        row[2 + 2 * k : 4 + 2 * k] = 1
    figure, axes = plt.subplots(
        1, 2, figsize=(7, 2.4), layout="constrained", sharex=True
    )
    titles = "five folds", "nested: the search within the first"
    for ax, table, title in zip(axes, (outer, inner), titles, strict=True):
        ax.pcolormesh(table, cmap="Blues", vmin=0, vmax=2.6, edgecolors="w")
        ax.invert_yaxis()
        ax.set(title=title, xlabel="rows", xticks=[], yticks=[])
        ax.set_ylabel("trainings")
    return figure


def gradient_checking():
    """The error of differences of one function, by their step."""
    steps = np.logspace(-12, 0, 60)
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for dtype, color in (("float32", "C1"), ("float64", "C0")):
        w, h = np.array(1, dtype), steps.astype(dtype)
        sided = (np.sin(w + h) - np.sin(w)) / h
        central = (np.sin(w + h) - np.sin(w - h)) / (2 * h)
        for slope, style in ((sided, "--"), (central, "-")):
            error = np.abs(slope.astype("float64") - np.cos(1.0)) + 1e-16
            kind = "central" if style == "-" else "one-sided"
            label = f"{kind}, {dtype}"
            ax.loglog(steps, error, style, color=color, label=label)
    ax.set(xlabel="step h", ylabel="error of the slope")
    ax.legend(frameon=False, fontsize="small")
    return figure


def monitoring():
    """The stability index of a column that stays, and of one that drifts."""
    random = np.random.default_rng(0)
    monitor = kr.diagnosis.Monitor(random.normal(size=(2000, 2)))
    for number in range(12):
        drift = 0.1 * max(number - 4, 0)
        monitor.observe(random.normal(size=(500, 2)) + [0, drift])
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    for name, label in (("x[0]", "stays"), ("x[1]", "drifts from window 6 on")):
        index = [report.columns[name].psi for report in monitor.reports]
        ax.plot(range(1, 13), index, ".-", label=label)
    alarms = [report.number for report in monitor.reports if report.alarm]
    ax.plot(alarms, [0.02] * len(alarms), "r^", label="alarm")
    ax.axhline(monitor.least_psi, color="0.6", ls="--")
    ax.set(xlabel="window", ylabel="stability index")
    ax.legend(frameon=False)
    return figure


def fairness():
    """False positive rates of two groups by threshold, and their gap."""
    random = np.random.default_rng(0)
    group = random.integers(0, 2, 2000)
    scores = random.beta(2 + group, 4, 2000)
    figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    thresholds, rates, gaps = np.linspace(0.1, 0.9, 17), [], []
    for threshold in thresholds:
        gap = kr.diagnosis.GroupGap(
            "false_positive_rate", threshold=float(threshold)
        )
        gap.update_state(np.zeros(2000), scores, group=group)
        rates.append([float(rate) for rate in gap.by_group()])
        gaps.append(float(gap.result()))
    for k, rate in enumerate(zip(*rates, strict=True)):
        ax.plot(thresholds, rate, label=f"group {k}")
    ax.plot(thresholds, gaps, "--", color="0.4", label="gap")
    ax.set(xlabel="threshold", ylabel="false positive rate")
    ax.legend(frameon=False)
    return figure


PICTURES = (
    bias_variance,
    splits,
    search,
    cross_validation,
    gradient_checking,
    monitoring,
    fairness,
)

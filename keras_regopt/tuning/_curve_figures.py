"""Learning curves and validation curves as Matplotlib figures."""

import numpy as np

from keras_regopt._matplotlib import require_matplotlib

# Okabe and Ito's colors, told apart by color-blind readers.
_TRAIN, _DEV = "#0072B2", "#D55E00"


def learning_curve_figure(curve):
    """The errors of a `LearningCurve` by size, and the law with its band."""
    figure, axes = _empty()
    _draw(axes, curve.sizes, curve.train_errors, "training", _TRAIN)
    _draw(axes, curve.sizes, curve.dev_errors, "dev", _DEV)
    rows = np.geomspace(curve.sizes[0], 4 * curve.sizes[-1], 40).astype(int)
    low, middle, high = np.transpose([curve.predict(int(n)) for n in rows])
    if np.isfinite(middle).all():
        axes.plot(rows, middle, color=_DEV, linestyle=":", label="power law")
        axes.fill_between(
            rows, low, high, color=_DEV, alpha=0.13, linewidth=0, label="90 %"
        )
    if curve.reference:
        axes.axhline(curve.reference, color="gray", label="reference")
    axes.set_xscale("log")
    _label_sizes(axes, curve.sizes)
    axes.set_xlabel("training rows")
    axes.set_ylabel(_error_name(curve))
    axes.set_title(f"Learning curve: {curve.verdict}")
    axes.legend(frameon=False)
    return figure


def validation_curve_figure(curve):
    """The errors of a `ValidationCurve` by value."""
    figure, axes = _empty()
    numeric = all(
        isinstance(v, (int, float)) and not isinstance(v, bool)
        for v in curve.values
    )
    positions = curve.values if numeric else range(len(curve.values))
    _draw(axes, positions, curve.train_errors, "training", _TRAIN)
    _draw(axes, positions, curve.dev_errors, "dev", _DEV)
    if not numeric:
        axes.set_xticks(positions, [str(value) for value in curve.values])
    elif min(curve.values) > 0 and max(curve.values) > 30 * min(curve.values):
        axes.set_xscale("log")
    axes.set_xlabel(curve.name.replace("$", r"\$"))
    axes.set_ylabel(_error_name(curve))
    axes.set_title("Validation curve")
    axes.legend(frameon=False)
    return figure


def _label_sizes(axes, sizes):
    """Numbers at the sizes that lie far enough apart to be read."""
    shown = [sizes[0]]
    for size in (*sizes[1:], 4 * sizes[-1]):
        if size >= 1.4 * shown[-1]:
            shown.append(size)
    axes.set_xticks(shown, [str(size) for size in shown])
    axes.set_xticks([], minor=True)


def _empty():
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.9), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(True, alpha=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _draw(axes, positions, errors, label, color):
    """The means of the folds, with bars of one standard deviation."""
    deviation = np.std(errors, axis=1, ddof=1) if errors.shape[1] > 1 else None
    axes.errorbar(
        positions,
        np.mean(errors, axis=1),
        deviation,
        color=color,
        label=label,
        marker="o",
        markersize=3,
        capsize=2,
    )


def _error_name(curve):
    name = f"1 - {curve.metric}" if curve.is_score else curve.metric
    return name.replace("$", r"\$")

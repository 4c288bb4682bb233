"""Figures of a study: curves on one scale, and parallel coordinates."""

import numpy as np

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt.diagnosis._figures import INK, finite, literal, style
from keras_regopt.diagnosis._search_table import is_number
from keras_regopt.diagnosis._wording import error_name

# Okabe and Ito's colors that show on white and on black.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
# Legible at the width of a phone.
_SIZE = (4.6, 3.8)


# What the curves show, by whether these are losses.
TOLD = {
    False: "The errors by epoch, all on one scale.",
    True: "The losses by epoch, all on one scale; the error was measured once.",
}


def shows_losses(named):
    """Whether the losses are drawn, since an error was measured once only."""
    both = [(d.curves, d.loss_curves) for d in named.values()]
    once = any(_points(c.train) < 2 and _points(c.dev) < 2 for c, _ in both)
    return once and all(losses is not None for _, losses in both)


def one_scale(named):
    """The errors of several models by epoch, in one panel.

    Args:
        named: Dict of names and diagnoses of one metric.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
    """
    axes = _axes()
    losses = shows_losses(named)
    for index, (name, diagnosis) in enumerate(named.items()):
        curves = diagnosis.loss_curves if losses else diagnosis.curves
        unit = 100 if curves.is_score else 1
        color = _COLORS[index % len(_COLORS)]
        for part, line in (("training", "-"), ("dev", (0, (4, 1.5)))):
            values = curves.train if part == "training" else curves.dev
            if np.isfinite(values).any():
                axes.plot(
                    curves.epochs,
                    finite(values * unit),
                    color=color,
                    linestyle=line,
                    marker="o" if _points(values) < 2 else None,
                    label=literal(f"{name} {part}".strip()),
                )
    style(axes)
    label = "loss" if losses else literal(error_name(diagnosis))
    axes.set_ylabel(label + (" (%)" if unit == 100 else ""), color=INK)
    # Below the axes, where it hides no curve.
    axes.figure.legend(
        loc="outside lower left",
        ncols=1 if max(map(len, named)) > 12 else 2,
        frameon=False,
        labelcolor=INK,
    )
    return axes.figure


def parallel_coordinates(trials):
    """A line for each trial through its values, darker the better.

    Args:
        trials: A `SearchTable`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
    """
    axes = _axes()
    columns = {**trials.columns, "score": trials.scores.tolist()}
    heights = np.array([_heights(values) for values in columns.values()])
    ranks = np.linspace(1, 0, len(trials.scores))
    for index in range(len(trials.scores) - 1, -1, -1):
        axes.plot(
            heights[:, index],
            color=_COLORS[1] if index == 0 else _COLORS[0],
            linewidth=2.2 if index == 0 else 1,
            alpha=0.25 + 0.6 * ranks[index],
            marker=".",
            label="best trial" if index == 0 else None,
        )
    for place, values in enumerate(columns.values()):
        axes.axvline(place, color=INK, linewidth=0.7, alpha=0.4)
        for value, height in _ends(values):
            axes.annotate(
                literal(value),
                (place, height),
                (3, 2),
                textcoords="offset points",
                fontsize="small",
                color=INK,
            )
    axes.set_xticks(
        range(len(columns)),
        [literal(name.rpartition("/")[2]) for name in columns],
        rotation=30 if len(columns) > 3 else 0,
        color=INK,
    )
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(columns) - 0.5)
    axes.set_ylim(-0.08, 1.15)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.legend(frameon=False, labelcolor=INK, fontsize="small")
    return axes.figure


def _points(values):
    return int(np.isfinite(values).sum())


def _axes():
    """Axes of a figure free of pyplot."""
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=_SIZE, layout="constrained").add_subplot()


def _heights(values):
    """Where values stand on their axis, from 0 to 1; inactive ones at 0."""
    if not is_number(values):
        names = sorted(set(map(str, values)))
        places = [names.index(str(value)) for value in values]
        return np.array(places) / max(len(names) - 1, 1)
    numbers = np.array(values, "float64")
    if _is_logarithmic(numbers):
        numbers = np.log(numbers)
    low, high = numbers.min(), numbers.max()
    return (numbers - low) / (high - low) if high > low else 0 * numbers + 0.5


def _is_logarithmic(numbers):
    return numbers.min() > 0 and numbers.max() / numbers.min() > 30


def _ends(values):
    """What stands at an axis: the ends of numbers, or all names."""
    heights = _heights(values)
    if is_number(values):
        order = np.argsort(values)
        shown = {order[0], order[-1]}
        return [(f"{values[i]:.3g}", heights[i]) for i in shown]
    return sorted(set(zip(map(str, values), heights.tolist(), strict=True)))

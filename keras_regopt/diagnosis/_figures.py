"""Learning curves as Matplotlib figures and as SVG."""

import io
import re

import numpy as np

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt.diagnosis._wording import error_name

# Okabe and Ito's colors, told apart by color-blind readers.
_TRAIN, _DEV, _REFERENCE = "#0072B2", "#D55E00", "#009E73"

# The color of text and axes; in SVG it gives way to the page's own.
INK = "#1b1b1c"

# Curves that span more than this factor are drawn on a logarithmic axis.
_DECADES = 30


def learning_curves(diagnosis):
    """Draws training and dev error by epoch.

    Args:
        diagnosis: A `Diagnosis`.

    Returns:
        A `matplotlib.figure.Figure` with one panel for the error that was
        judged and, where it is another, one for the loss.

    Raises:
        ImportError: If Matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    d = diagnosis
    panels = [d.curves] if d.loss_curves is None else [d.curves, d.loss_curves]
    figure = Figure(figsize=(5.2 * len(panels), 3.9), layout="constrained")
    for index, curves in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), index)
        first = index == 1
        _draw(axes, curves, d.reference if first else None)
        label = literal(error_name(d)) if first else "loss"
        unit = " (%)" if curves.is_score else ""
        axes.set_ylabel(label + unit, color=INK)
    figure.suptitle(
        literal(f"Learning curves: {d.verdict}"),
        color=INK,
        fontweight="bold",
    )
    return figure


def to_svg(figure, number=1):
    """A figure as SVG for an HTML page.

    Text stays text, for search and screen readers, and takes the page's
    color; names are made unique by the figure's number on the page, and nothing
    points outside.
    """
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "keras_regopt"}
    ):
        figure.savefig(
            text, format="svg", transparent=True, bbox_inches="tight"
        )
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    prefix = f"figure{number}-"
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}', svg)
    svg = svg.replace("url(#", f"url(#{prefix}")
    # Black is the color of what a figure gives no color.
    svg = svg.replace("#000000", "currentColor")
    return svg.replace(INK, "currentColor")


def to_png(figure):
    """A figure as the bytes of a PNG file."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110)
    return data.getvalue()


def _draw(axes, curves, reference):
    unit = 100 if curves.is_score else 1
    train, dev = curves.train * unit, curves.dev * unit
    here = np.isfinite(dev)
    few = len(curves.epochs) < 25
    axes.plot(
        curves.epochs,
        finite(train),
        color=_TRAIN,
        label="training",
        marker="o" if few else None,
        markersize=3,
    )
    if here.any():
        axes.plot(
            curves.epochs[here],
            dev[here],
            color=_DEV,
            linestyle=(0, (5, 1.5)),
            label="dev",
            marker="s" if few else None,
            markersize=3,
        )
        axes.fill_between(
            curves.epochs[here],
            finite(train)[here],
            dev[here],
            color=_DEV,
            alpha=0.13,
            linewidth=0,
            label="gap",
        )
        _mark_best(axes, curves.epochs[here], dev[here])
    margin = 0.02 * max(np.ptp(curves.epochs), 1)
    axes.set_xlim(curves.epochs[0] - margin, curves.epochs[-1] + margin)
    logarithmic = not reference and _spans_decades(curves)
    # A logarithmic axis has no zero.
    if reference is not None and not logarithmic:
        axes.axhline(
            reference * unit,
            color=_REFERENCE,
            linestyle=":",
            linewidth=1.8,
            label="reference" if reference else "zero",
        )
    style(axes)
    if logarithmic:
        axes.set_yscale("log")
    else:
        _frame(axes, _top(curves) * unit, curves, (reference or 0) * unit)
    axes.legend(frameon=False, labelcolor=INK, fontsize="small")


def _mark_best(axes, epochs, errors):
    best = int(errors.argmin())
    axes.axvline(epochs[best], color=INK, linewidth=0.8, alpha=0.4)
    axes.plot(
        epochs[best],
        errors[best],
        color=_DEV,
        marker="o",
        markersize=8,
        markerfacecolor="none",
        markeredgewidth=1.6,
        linestyle="none",
        label=f"lowest dev, epoch {epochs[best]}",
    )


def style(axes):
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", color=INK)
    axes.tick_params(colors=INK, which="both")
    axes.grid(True, color=INK, alpha=0.12, linewidth=0.6)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)


def _frame(axes, top, curves, reference):
    values = np.concatenate([curves.train, curves.dev])
    values = values[np.isfinite(values)]
    if len(values) and values.min() >= 0:
        # Room under zero, so that a line on zero stays visible.
        top = max(top, reference) or 1
        axes.set_ylim(-0.04 * top, 1.06 * top)


def _spans_decades(curves):
    values = np.concatenate([curves.train, curves.dev])
    values = values[np.isfinite(values)]
    if curves.is_score or not len(values) or values.min() <= 0:
        return False
    return bool(values.max() / values.min() > _DECADES)


def _top(curves):
    """The upper end of the axis.

    The first tenth of the epochs may leave the frame, so that the gap at the
    end is not pressed flat.
    """
    count = len(curves.epochs)
    errors = np.concatenate([curves.train, curves.dev]).reshape(2, count)
    errors = np.where(np.isfinite(errors), errors, 0)
    late = errors[:, count // 10 :].max()
    return min(errors.max(), 1.5 * late) if late else errors.max()


def finite(values):
    return np.where(np.isfinite(values), values, np.nan)


def literal(text):
    """Text in which a dollar sign starts no formula."""
    return text.replace("$", r"\$")

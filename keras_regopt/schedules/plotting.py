"""Plots of schedules."""

from typing import Any

import numpy as np

from keras_regopt._matplotlib import require_matplotlib
from keras_regopt._types import RateOrSchedule
from keras_regopt._validate import positive_int
from keras_regopt.schedules._base import rate_of, rate_or_schedule

# More points than this look the same in a plot.
_MOST_POINTS = 1000


def plot(schedule: RateOrSchedule, steps: int, axes: Any = None) -> Any:
    """Draws the learning rate by step.

    Args:
        schedule: Any `LearningRateSchedule`, of this package or Keras' own (or
            a number >= 0).
        steps: Number of steps to draw, at least 1.
        axes: Optional Matplotlib axes to draw into. By default, those of a new
            figure.

    Returns:
        The axes; `axes.figure` is the figure, free of pyplot, so that no
        display is needed. `axes.figure.savefig("schedule.png")` saves it.

    Raises:
        ImportError: If Matplotlib is not installed.
        ValueError: If `schedule` is no schedule, or `steps` is below 1.

    Examples:
        >>> from keras_regopt.schedules import LinearToZero
        >>> axes = plot(LinearToZero(0.1, 100), steps=120)
        >>> axes.get_ylabel()
        'learning rate'
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    rate_or_schedule(plot, "schedule", schedule)
    positive_int(plot, "steps", steps)
    if axes is None:
        figure = Figure(figsize=(5.2, 3.2), layout="constrained")
        axes = figure.add_subplot()
    points = np.unique(
        np.linspace(0, steps - 1, min(steps, _MOST_POINTS)).astype("int32")
    )
    axes.plot(points, [float(rate_of(schedule, step)) for step in points])
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    return axes

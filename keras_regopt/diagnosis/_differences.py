"""Slopes by central differences, with the kinks left out."""

import numpy as np

# The steps to try, each with its half; a larger one crosses more kinks, of a
# smaller one more is lost to rounding.
_STEPS = (1e-4, 1e-5, 1e-6)


def slope(along, middle, scale, tolerance):
    """The slope of a function at zero.

    The differences at a step and at its half must agree, and those to both
    sides must approach each other; else there is a kink, as that of a ReLU,
    and a smaller step is tried.

    Args:
        along: Function of a number.
        middle: Its value at zero.
        scale: A function of a slope that returns the size of what counts.
        tolerance: By how much of that size the two may differ.

    Returns:
        A float, or `None` at a kink.
    """
    for step in _STEPS:
        wide = [along(step), along(-step)]
        near = [along(step / 2), along(-step / 2)]
        if not np.isfinite([*wide, *near]).all():
            continue
        rough = (wide[0] - wide[1]) / (2 * step)
        fine = (near[0] - near[1]) / step
        noise = 8 * np.finfo("float64").eps * max(abs(middle), 1e-8) / step
        allowed = max(0.3 * tolerance * scale(fine), 4 * noise)
        if abs(rough - fine) > allowed:
            continue
        # What the slopes to both sides differ by: halved with the step,
        # unless there is a kink right here.
        bends = [
            abs(wide[0] - 2 * middle + wide[1]) / step,
            abs(near[0] - 2 * middle + near[1]) / (step / 2),
        ]
        if bends[1] > max(0.75 * bends[0], allowed, 8 * noise):
            continue
        return (4 * fine - rough) / 3
    return None

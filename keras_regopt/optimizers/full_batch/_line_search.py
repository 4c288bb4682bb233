"""A line search for the strong Wolfe conditions."""

import math
from collections import namedtuple

# A point on the line: the step that leads there, the loss, its slope along the
# line, and the gradient, which is only passed through.
Point = namedtuple("Point", ["step", "loss", "slope", "gradient"])


def strong_wolfe(
    evaluate,
    start,
    step,
    *,
    armijo,
    curvature,
    max_evaluations,
    rounding=0.0,
    shortest=0.0,
):
    """A step along a descent direction that satisfies both Wolfe conditions.

    These are `loss <= start.loss + armijo * step * start.slope` and
    `abs(slope) <= curvature * abs(start.slope)`. The search first lengthens the
    step until an interval must contain such a point, then narrows the interval
    by cubic interpolation, as in Nocedal and Wright, algorithms 3.5 and 3.6,
    with the safeguards of Schmidt's minFunc, which torch uses too. A loss that
    is not finite counts as too high. Where losses differ by mere rounding, the
    slopes decide, as in Hager and Zhang 2005.

    Args:
        evaluate: Function of a step that returns its `Point`.
        start: The `Point` of step 0; its slope is negative.
        step: The first step to try.
        armijo: Fraction of the slope by which the loss must fall.
        curvature: Fraction of the slope that may be left.
        max_evaluations: Calls of `evaluate` at most.
        rounding: Differences of losses that mean nothing.
        shortest: Width of an interval that is not worth narrowing.

    Returns:
        The point that was found, and the number of evaluations. Where none
        satisfies both conditions, this is the lowest of those that satisfy the
        first one, or `start` itself.
    """

    def look(step):
        point = evaluate(step)
        if math.isfinite(point.loss) and math.isfinite(point.slope):
            return point
        return point._replace(loss=math.inf)

    def too_high(point, low):
        line = start.loss + armijo * point.step * start.slope
        if point.loss <= line and point.loss < low.loss:
            return False
        difference = max(abs(p.loss - start.loss) for p in (point, low))
        # What the first condition demands of a parabola's slope.
        falls = point.slope <= (2 * armijo - 1) * start.slope
        return not (difference <= rounding and falls)

    def flat(point):
        return abs(point.slope) <= -curvature * start.slope

    low, point, evaluations = start, look(step), 1
    while True:
        if too_high(point, low):
            high = point
            break
        if flat(point):
            return point, evaluations
        if point.slope >= 0:
            low, high = point, low
            break
        if evaluations >= max_evaluations:
            return min(start, point, key=_loss), evaluations
        least = point.step + 0.01 * (point.step - low.step)
        longer = _cubic_minimum(low, point, least, 10 * point.step, rounding)
        low, point = point, look(longer)
        evaluations += 1

    was_near_an_end = False
    while (
        evaluations < max_evaluations
        and abs(high.step - low.step) >= shortest
        and low.step != high.step
    ):
        step, was_near_an_end = _trial(low, high, was_near_an_end, rounding)
        point = look(step)
        evaluations += 1
        if too_high(point, low):
            high = point
        elif flat(point):
            return point, evaluations
        else:
            if point.slope * (high.step - low.step) >= 0:
                high = low
            low = point
    # Without the second condition, only a lower loss is progress.
    return min(start, low, key=_loss), evaluations


def _loss(point):
    return point.loss


def _trial(low, high, was_near_an_end, rounding):
    """Where to look in an interval, and whether this is near one of its ends.

    The second step in a row that comes close to an end, or one that lies on
    it, is moved away by a tenth of the interval, which therefore shrinks.
    """
    left, right = sorted((low.step, high.step))
    step = _cubic_minimum(low, high, left, right, rounding)
    margin = 0.1 * (right - left)
    if min(right - step, step - left) >= margin:
        return step, False
    if not was_near_an_end and left < step < right:
        return step, True
    nearer_right = abs(step - right) < abs(step - left)
    return right - margin if nearer_right else left + margin, False


def _cubic_minimum(a, b, lowest, highest, rounding):
    """The minimum of the cubic through two points and slopes, in bounds.

    The middle of the bounds, where there is none. Losses that differ by mere
    rounding do not count: then it is the minimum of the parabola by the slopes.
    """
    if a.step > b.step:
        a, b = b, a
    width = b.step - a.step
    middle = (lowest + highest) / 2
    if not width or not math.isfinite(a.loss + b.loss):
        return middle
    mean_slope = (b.loss - a.loss) / width
    if abs(b.loss - a.loss) <= rounding:
        mean_slope = (a.slope + b.slope) / 2
    bend = a.slope + b.slope - 3 * mean_slope
    square = bend * bend - a.slope * b.slope
    if not square >= 0:
        return middle
    root = math.sqrt(square)
    divisor = b.slope - a.slope + 2 * root
    if divisor <= 0:
        return middle
    step = b.step - width * (b.slope + root - bend) / divisor
    return min(max(step, lowest), highest)

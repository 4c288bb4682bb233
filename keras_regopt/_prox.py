"""Proximal operators in closed form.

The proximal operator of a penalty `h` at a point `x`, for a step `t`, is the
`w` that minimizes `h(w) + sum((w - x) ** 2 / (2 t))`. The step may be one for
each entry, which is the metric of a diagonal preconditioner.

All of them keep float32 and float64 as they come, and give true zeros.
"""

from keras import ops

# Enough for float32 where steps within a group differ by a factor of 1e8.
_NEWTON_STEPS = 8


def soft_threshold(x, threshold):
    """Moves every entry towards zero by `threshold`, and not beyond.

    The proximal operator of `l1 * sum(abs(w))` for `threshold = t * l1`.

    Args:
        x: A tensor.
        threshold: A number or a tensor >= 0 that broadcasts with `x`.

    Returns:
        A tensor like `x`.
    """
    # What is cut off is the entry itself below the threshold, so that the
    # difference is exactly zero.
    return x - ops.minimum(ops.maximum(x, -threshold), threshold)


def shrink_groups(x, threshold, axis):
    """Moves every group towards zero by `threshold` in its Euclidean norm.

    The proximal operator of `group * sum(norm(w_g))` for
    `threshold = t * group`, with the same step for all entries.

    Args:
        x: A tensor.
        threshold: A scalar >= 0.
        axis: The axes within a group; none makes each entry a group.

    Returns:
        A tensor like `x`.
    """
    if not axis:
        return soft_threshold(x, threshold)
    norms = _norms(x, axis)
    vanishes = norms <= threshold
    safe_norms = ops.where(vanishes, 1.0, norms)
    return x * ops.where(vanishes, 0.0, 1 - threshold / safe_norms)


def shrink_groups_in_metric(x, step, scale, group, axis):
    """The minimum of a group lasso with a step of its own for each entry.

    Minimizes `group * sum(norm(w_g)) + sum((scale * w - x) ** 2 / (2 scale
    step))`, whose solution is `w = x / (scale + step * group / r)` with the
    norm `r` of the solution's group: the one unknown of
    `norm(x / (scale * r + step * group)) = 1`. The inverse of this norm is
    concave and rises in `r`, so that Newton's method from a lower bound climbs
    to the solution without ever going beyond.

    Args:
        x: A tensor.
        step: A tensor >= 0 like `x`.
        scale: A tensor >= 1 that broadcasts with `x`.
        group: A Python number > 0.
        axis: The axes within a group; none makes each entry a group.

    Returns:
        A tensor like `x`.
    """
    if not axis:
        return soft_threshold(x, step * group) / scale
    # A schedule may begin with a rate of zero.
    step = ops.maximum(step, 1e-20)
    vanishes = _norms(x / step, axis) <= group
    # Anything but zero, for the groups that vanish.
    target = ops.where(vanishes, step * (2 * group), x) / scale
    offset = step * group / scale
    radius = ops.maximum(
        _norms(target, axis) - ops.amax(offset, axis=axis, keepdims=True), 0.0
    )
    for _ in range(_NEWTON_STEPS):
        ratio = target / (radius + offset)
        squares = ops.sum(ops.square(ratio), axis=axis, keepdims=True)
        slope = ops.sum(
            ops.square(ratio) / (radius + offset), axis=axis, keepdims=True
        )
        radius = radius + (ops.sqrt(squares) - 1) * squares / slope
        radius = ops.maximum(radius, 0.0)
    result = target * (radius / (radius + offset))
    return ops.where(vanishes, 0.0, result)


def _norms(x, axis):
    return ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True))

from collections.abc import Sequence

from keras_regopt._axes import axes, axes_within
from keras_regopt._prox import shrink_groups
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.constraints._base import Constraint


@register
class GroupSoftThreshold(Constraint):
    """Moves every group of weights towards zero as one, and stops there.

    After each step, the weights `w` of a group become

        w * max(1 - threshold / norm(w), 0)

    with the Euclidean norm of the group. That is the proximal step of a group
    lasso: groups become zero as a whole, such as all incoming weights of a
    unit, so that `shrink` can remove the unit. For learning rates, see
    `SoftThreshold`.

    Args:
        threshold: How far a group moves in a step, a number >= 0. Defaults to
            `1e-3`.
        axis: The axis, or a list of the axes, within a group. `0` groups a
            `Dense` kernel by unit, `(0, 1, 2)` a `Conv2D` kernel by filter.
            `None` takes all but the last, which is both. Defaults to `None`.

    Raises:
        ValueError: If `threshold` is negative, or `axis` holds anything but
            different integers.

    Examples:
        >>> constraint = GroupSoftThreshold(2.5)
        >>> np.asarray(constraint(np.array([[3.0, 1.0], [4.0, 2.0]]))).tolist()
        [[1.5, 0.0], [2.0, 0.0]]

    References:
        Yuan and Lin 2006, Model selection and estimation in regression with
        grouped variables; Parikh and Boyd 2014, Proximal algorithms, section
        6.5.4.
    """

    def __init__(
        self, threshold: float = 1e-3, axis: int | Sequence[int] | None = None
    ):
        self.threshold = in_range(self, "threshold", threshold, low=0)
        self.axis = axes(self, "axis", axis, optional=True)

    def project(self, w):
        if self.axis is None:
            # A vector's entries are units by themselves.
            within = tuple(range(len(w.shape) - 1))
        else:
            within = axes_within(self, "axis", self.axis, w.shape)
        return shrink_groups(w, self.threshold, within)

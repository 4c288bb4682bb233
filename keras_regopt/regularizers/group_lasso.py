from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import axes, in_range
from keras_regopt.regularizers._base import Regularizer


@register
class GroupLasso(Regularizer):
    """Sum of the Euclidean norms of the groups of a weight.

    Drives whole groups to zero together, where L1 acts on single weights: all
    that enters a unit, say, so that the unit can go. The penalty on a weight
    `w` is

        rate * sum(sqrt(sum(w ** 2, axis))).

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        axis: The axis, or a list of the axes, within a group. `0` groups a
            `Dense` kernel by unit, `(0, 1, 2)` a `Conv2D` kernel by filter.
            Defaults to `0`.

    Raises:
        ValueError: If `rate` is negative, or `axis` holds anything but
            different integers.

    Examples:
        >>> penalty = GroupLasso(rate=0.1)
        >>> round(float(penalty(np.array([[3.0, 0.0], [4.0, 0.0]]))), 4)
        0.5

    References:
        Yuan and Lin 2006, Model selection and estimation in regression with
        grouped variables.
    """

    def __init__(self, rate=0.01, axis=0):
        self.rate = in_range(self, "rate", rate, low=0)
        self.axis = axes(self, "axis", axis)

    def penalty(self, x):
        squares = ops.sum(ops.square(x), axis=self.axis)
        # The root has no finite slope at zero, so it is kept away from there.
        nonzero = squares > 0
        norms = ops.sqrt(ops.where(nonzero, squares, 1.0))
        return self.rate * ops.sum(ops.where(nonzero, norms, 0.0))

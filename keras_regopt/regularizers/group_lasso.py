from collections.abc import Sequence

from keras_regopt._axes import axes, axes_within
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers._groups import sum_of_norms


@register
class GroupLasso(Regularizer):
    """Sum of the Euclidean norms of the groups of a weight.

    Drives whole groups to zero together, where L1 acts on single weights. A
    group is, for example, all incoming weights of a unit, so that the unit can
    be removed. The penalty on a weight `w` is

        rate * sum(sqrt(sum(w ** 2, axis))).

    All groups of a weight have the same size, so there is no factor for it.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        axis: The axis, or a list of the axes, within a group. With the
            kernels of Keras, `0` groups that of a `Dense` layer by unit and
            `1` by input; `(0, 1, 2)` that of a `Conv2D` by output channel and
            `(0, 1, 3)` by input channel; `(0, 1)` that of a `DepthwiseConv2D`
            by channel; `1` groups an `Embedding` by token. Defaults to `0`.

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

    def __init__(self, rate: float = 0.01, axis: int | Sequence[int] = 0):
        self.rate = in_range(self, "rate", rate, low=0)
        self.axis = axes(self, "axis", axis)

    def penalty(self, x):
        axis = axes_within(self, "axis", self.axis, x.shape)
        return self.rate * sum_of_norms(x, axis)

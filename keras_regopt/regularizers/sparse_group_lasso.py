from collections.abc import Sequence

from keras import ops

from keras_regopt._axes import axes, axes_within
from keras_regopt._registry import register
from keras_regopt._sums import total
from keras_regopt._validate import in_range
from keras_regopt.regularizers._base import Regularizer
from keras_regopt.regularizers._groups import sum_of_norms


@register
class SparseGroupLasso(Regularizer):
    """A mixture of group lasso and L1.

    Makes whole groups small, and single weights in the groups that stay. The
    penalty on a weight `w` is

        rate * ((1 - l1_ratio) * sum(sqrt(sum(w ** 2, axis)))
                + l1_ratio * sum(abs(w))).

    The paper's factor for the size of a group is left out, as all groups of a
    weight have the same size.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        l1_ratio: Weight of L1 in the mixture, in [0, 1]: 0 is group lasso
            alone, 1 is L1 alone. Defaults to `0.5`.
        axis: The axis, or a list of the axes, within a group, as for
            `GroupLasso`. Defaults to `0`.

    Raises:
        ValueError: If `axis` holds anything but different integers.

    Examples:
        >>> penalty = SparseGroupLasso(rate=0.1, l1_ratio=0.5)
        >>> round(float(penalty(np.array([[3.0, 0.0], [4.0, 0.0]]))), 4)
        0.6

    References:
        Simon et al. 2013, A sparse-group lasso.
    """

    def __init__(
        self,
        rate: float = 0.01,
        l1_ratio: float = 0.5,
        axis: int | Sequence[int] = 0,
    ):
        self.rate = in_range(self, "rate", rate, low=0)
        self.l1_ratio = in_range(self, "l1_ratio", l1_ratio, low=0, high=1)
        self.axis = axes(self, "axis", axis)

    def penalty(self, x):
        axis = axes_within(self, "axis", self.axis, x.shape)
        groups = (1 - self.l1_ratio) * sum_of_norms(x, axis)
        return self.rate * (groups + self.l1_ratio * total(ops.abs(x)))

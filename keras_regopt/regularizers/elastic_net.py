from keras import ops

from keras_regopt._hyper_parameter import HyperParameter, tunable
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._sums import total
from keras_regopt._validate import in_range
from keras_regopt.regularizers._base import Regularizer


@register
class ElasticNet(Regularizer):
    """A mixture of the L1 and the L2 penalty.

    L1 pushes single weights towards zero, L2 shrinks them all and keeps
    correlated ones together. The penalty on a weight `w` is

        rate * (l1_ratio * sum(abs(w)) + (1 - l1_ratio) / 2 * sum(w ** 2)),

    which is scikit-learn's scaling. The textbook's
    `l1 * sum(abs(w)) + l2 * sum(w ** 2)` has `rate = l1 + 2 * l2` and
    `l1_ratio = l1 / (l1 + 2 * l2)`.

    Args:
        rate: Strength of the penalty, a number >= 0 or a `HyperParameter`.
            Defaults to `0.01`.
        l1_ratio: Weight of L1 in the mixture, in [0, 1]: 0 is L2 alone, 1 is
            L1 alone. Defaults to `0.5`.

    Examples:
        >>> penalty = ElasticNet(rate=0.1, l1_ratio=0.5)
        >>> round(float(penalty(np.array([[3.0, 0.0], [-4.0, 0.0]]))), 4)
        0.975

    References:
        Zou and Hastie 2005, Regularization and variable selection via the
        elastic net.
    """

    search_space = {
        "rate": Range(1e-7, 1e-1, log=True),
        "l1_ratio": Range(0.0, 1.0),
    }

    def __init__(
        self, rate: float | HyperParameter = 0.01, l1_ratio: float = 0.5
    ):
        self.rate = tunable(self, "rate", rate, low=0)
        self.l1_ratio = in_range(self, "l1_ratio", l1_ratio, low=0, high=1)

    def penalty(self, x):
        l1 = self.rate * self.l1_ratio
        l2 = self.rate * (1 - self.l1_ratio) / 2
        # In one pass over the weight.
        return total(l1 * ops.abs(x) + l2 * ops.square(x))

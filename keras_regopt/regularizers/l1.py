from keras import ops

from keras_regopt._hyper_parameter import HyperParameter, tunable
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._sums import total
from keras_regopt.regularizers._base import Regularizer


@register
class L1(Regularizer):
    """The sum of the absolute values.

    Pushes single weights towards zero, all with the same force, so that small
    ones vanish. A drop-in for `keras.regularizers.L1`, which differs in two
    points: the result is float32 for half precision too, and the
    configuration holds `0.01` as `0.01`. The penalty on a weight `w` is

        l1 * sum(abs(w)).

    Args:
        l1: Strength of the penalty, a number >= 0 or a `HyperParameter`.
            Defaults to `0.01`.

    Raises:
        ValueError: If `l1` is negative.

    Examples:
        >>> round(float(L1(0.1)(np.array([[3.0, 0.0], [-4.0, 0.0]]))), 4)
        0.7

    References:
        Tibshirani 1996, Regression shrinkage and selection via the lasso.
    """

    search_space = {"l1": Range(1e-7, 1e-1, log=True)}

    def __init__(self, l1: float | HyperParameter = 0.01):
        self.l1 = tunable(self, "l1", l1, low=0)

    def penalty(self, x):
        return self.l1 * total(ops.abs(x))

from keras_regopt._hyper_parameter import HyperParameter, tunable
from keras_regopt._registry import register
from keras_regopt._search_space import Range
from keras_regopt._sums import total_of_squares
from keras_regopt.regularizers._base import Regularizer


@register
class L2(Regularizer):
    """The sum of the squares.

    Shrinks all weights, large ones the most. A drop-in for
    `keras.regularizers.L2`, which differs in two points: the result is
    float32 for half precision too, and the configuration holds `0.01` as
    `0.01`. The penalty on a weight `w` is

        l2 * sum(w ** 2),

    without the factor 1/2 of scikit-learn and of torch's `weight_decay`: under
    SGD, `weight_decay=d` does what `l2=d / 2` does.

    Args:
        l2: Strength of the penalty, a number >= 0 or a `HyperParameter`.
            Defaults to `0.01`.

    Raises:
        ValueError: If `l2` is negative.

    Examples:
        >>> round(float(L2(0.1)(np.array([[3.0, 0.0], [-4.0, 0.0]]))), 4)
        2.5

    References:
        Krogh and Hertz 1991, A simple weight decay can improve
        generalization.
    """

    search_space = {"l2": Range(1e-7, 1e-1, log=True)}

    def __init__(self, l2: float | HyperParameter = 0.01):
        self.l2 = tunable(self, "l2", l2, low=0)

    def penalty(self, x):
        return self.l2 * total_of_squares(x)

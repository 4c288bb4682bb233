from keras_regopt import _prox
from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.constraints._base import Constraint


@register
class SoftThreshold(Constraint):
    """Moves every weight towards zero, and stops there: true zeros.

    After each step, a weight `w` becomes

        sign(w) * max(abs(w) - threshold, 0).

    That is the proximal step of an L1 penalty, where the penalty's gradient
    alone leaves small weights around zero. Under gradient descent with

        threshold = learning_rate * strength / (1 - momentum)

    the weights settle where `loss + strength * sum(abs(w))` is least (ISTA).
    Where the rate follows a schedule, or each weight has a rate of its own, the
    zeros are as exact, but belong to a strength that changes along. Adam's
    steps are about `learning_rate` long however small the gradient, so that
    the threshold must be well below it to leave anything at all.
    `ProximalSGD` and `ProximalAdam` of `keras_regopt.optimizers` take the
    strength itself and follow rates and steps of all kinds.

    Args:
        threshold: How far a weight moves in a step, a number >= 0. Defaults
            to `1e-4`.

    Raises:
        ValueError: If `threshold` is negative.

    Examples:
        >>> constraint = SoftThreshold(0.5)
        >>> np.asarray(constraint(np.array([2.0, 0.25, -1.0]))).tolist()
        [1.5, 0.0, -0.5]

    References:
        Daubechies, Defrise and De Mol 2004, An iterative thresholding algorithm
        for linear inverse problems with a sparsity constraint.
    """

    def __init__(self, threshold: float = 1e-4):
        self.threshold = in_range(self, "threshold", threshold, low=0)

    def project(self, w):
        return _prox.soft_threshold(w, self.threshold)

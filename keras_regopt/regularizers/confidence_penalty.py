import math

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.regularizers._activities import per_position
from keras_regopt.regularizers._base import Regularizer

_SMALLEST = 1e-7


@register
class ConfidencePenalty(Regularizer):
    """Penalizes a classifier for being too sure.

    An alternative to label smoothing, as the `activity_regularizer` of the
    last layer. With `H(p)` the entropy of the probabilities of an example (or
    of a position of it) over the `K` classes in the last axis, what is added
    to the loss is

        rate * mean(log(K) - H(p)).

    The paper subtracts `rate * H(p)`; the constant `log(K)` changes no
    gradient and makes the penalty 0 for the uniform distribution and positive
    elsewhere. The regularizer returns this times the size of the batch, by
    which Keras divides. A last axis of one unit is taken for the probability
    (or the logit) of one of two classes.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.1`.
        from_logits: Whether the layer gives logits. If `False`, it gives
            probabilities, which are scaled to the sum of 1 once more.
            Defaults to `False`.

    Examples:
        >>> penalty = ConfidencePenalty(rate=1.0)
        >>> round(float(penalty(np.array([[0.5, 0.5]]))), 4)
        0.0
        >>> round(float(penalty(np.array([[0.9, 0.1]]))), 4)
        0.3681

    References:
        Pereyra et al. 2017, Regularizing neural networks by penalizing
        confident output distributions (arXiv 1701.06548).
    """

    def __init__(self, rate: float = 0.1, from_logits: bool = False):
        self.rate = in_range(self, "rate", rate, low=0)
        self.from_logits = boolean(self, "from_logits", from_logits)

    def penalty(self, x):
        if x.shape[-1] == 1:
            other = ops.zeros_like(x) if self.from_logits else 1 - x
            x = ops.concatenate([x, other], axis=-1)
        logs = ops.log_softmax(x) if self.from_logits else _logs(x)
        negentropy = ops.sum(ops.exp(logs) * logs, axis=-1)
        excess = ops.sum(negentropy + math.log(x.shape[-1]))
        return self.rate * per_position(excess, x)


def _logs(probabilities):
    probabilities = ops.maximum(probabilities, _SMALLEST)
    total = ops.sum(probabilities, axis=-1, keepdims=True)
    return ops.log(probabilities) - ops.log(total)

from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.regularizers._activities import divisor
from keras_regopt.regularizers._base import Regularizer

# Keeps the logarithms finite where a unit is never on, or always.
_EDGE = 1e-6


@register
class KLSparsity(Regularizer):
    """Holds the mean activity of each unit near a small target.

    For the hidden layer of a sparse autoencoder with sigmoid units. With
    `q_j` the mean activity of unit `j` (the last axis) over the batch and all
    other axes, what is added to the loss is

        rate * sum_j(target * log(target / q_j)
                     + (1 - target) * log((1 - target) / (1 - q_j))).

    The regularizer returns this times the size of the batch, by which Keras
    divides the result of an `activity_regularizer`. The mean over a batch
    estimates that over the data, so a batch should have a few dozen examples at
    least. A `q_j` out of [1e-6, 1 - 1e-6] is clipped, and has no gradient.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.
        target: The desired mean activity, in (0, 1). Defaults to `0.05`.

    Examples:
        >>> penalty = KLSparsity(rate=1.0, target=0.1)
        >>> layer = keras.layers.ReLU(activity_regularizer=penalty)
        >>> activities = layer(np.array([[0.5, 0.1], [0.1, 0.1]]))
        >>> round(float(layer.losses[0]), 4)
        0.1163

    References:
        Ng 2011, CS294A lecture notes: Sparse autoencoder, section 3.
    """

    def __init__(self, rate: float = 0.01, target: float = 0.05):
        self.rate = in_range(self, "rate", rate, low=0)
        self.target = in_range(self, "target", target, above=0, below=1)

    def penalty(self, x):
        mean = ops.mean(x, axis=tuple(range(len(x.shape) - 1)))
        mean = ops.clip(mean, _EDGE, 1 - _EDGE)
        on, off = self.target, 1 - self.target
        divergence = on * ops.log(on / mean) + off * ops.log(off / (1 - mean))
        return self.rate * divisor(x) * ops.sum(divergence)

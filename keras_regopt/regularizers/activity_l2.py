from keras import ops

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.regularizers._activities import per_position
from keras_regopt.regularizers._base import Regularizer


@register
class ActivityL2(Regularizer):
    """The sum of the squared activities of an example.

    Keeps activities small, as AR does for recurrent networks. For an
    `activity_regularizer`, whose result Keras divides by the size of the
    batch; what is added to the loss then is

        rate * mean(sum(a ** 2, axis=-1)),

    the mean over the examples and, in a sequence or an image with the
    channels last, over the positions: a strength fits any length. The
    regularizer itself returns this times the size of the batch. Padding is
    counted, as Keras passes no mask.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.

    Raises:
        ValueError: If `rate` is negative.

    Examples:
        >>> layer = keras.layers.ReLU(activity_regularizer=ActivityL2(0.1))
        >>> activities = layer(np.array([[3.0, 0.0], [4.0, 0.0]]))
        >>> round(float(layer.losses[0]), 4)
        1.25

    References:
        Merity et al. 2017, Revisiting activation regularization for language
        RNNs (arXiv 1708.01009).
    """

    def __init__(self, rate: float = 0.01):
        self.rate = in_range(self, "rate", rate, low=0)

    def penalty(self, x):
        return self.rate * per_position(ops.sum(ops.square(x)), x)

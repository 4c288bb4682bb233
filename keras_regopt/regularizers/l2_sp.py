from keras import ops

from keras_regopt._precision import at_least_single
from keras_regopt._registry import register
from keras_regopt._sums import total_of_squares
from keras_regopt._validate import in_range
from keras_regopt.regularizers._stateful import StatefulRegularizer


@register
class L2SP(StatefulRegularizer):
    """Pulls a weight towards its starting point.

    For fine-tuning: the pretrained weights are a better point to stay near
    than zero. The penalty on a weight `w` is

        rate / 2 * sum((w - anchor) ** 2),

    where `anchor` is the weight when its penalty is computed for the first
    time, which is before the first step of `fit`: load the weights first, or
    give the anchor with `set_anchor`. It is saved with the model and
    stays when a training is continued. It takes as much memory as the weight.
    For layers that did not come from the old task, take `L2`.

    Args:
        rate: Strength of the penalty, a number >= 0. Defaults to `0.01`.

    Raises:
        ValueError: If `rate` is negative.

    Examples:
        >>> penalty = L2SP(rate=0.1)
        >>> penalty.set_anchor([[1.0], [1.0]])
        >>> round(float(penalty(np.array([[1.0], [3.0]]))), 4)
        0.2

    References:
        Li et al. 2018, Explicit inductive bias for transfer learning with
        convolutional networks (arXiv 1802.01483), the penalty L2-SP without
        its term for new layers.
    """

    state_name = "anchor"
    needs_its_state = True
    on_activities = False

    def __init__(self, rate: float = 0.01):
        super().__init__()
        self.rate = in_range(self, "rate", rate, low=0)

    def set_anchor(self, anchor):
        """Sets the anchor, instead of the starting weight.

        Args:
            anchor: An array of the shape of the weight.
        """
        self.set_state(anchor)

    def state_shape(self, shape):
        return shape

    def initial_state(self, x):
        return ops.copy(at_least_single(x))

    def penalty(self, x, before, after):
        x = at_least_single(x)
        difference = x - ops.cast(before, x.dtype)
        return self.rate / 2 * total_of_squares(difference)

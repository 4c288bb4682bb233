import math

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.callbacks.stopping._criterion import (
    StoppingCriterion,
    generalization_loss,
)


@register
class GeneralizationLoss(StoppingCriterion):
    """Stops when the validation loss is too far above its minimum (GL).

    By Prechelt's experiments, the choice for who trains several times and
    keeps the best model. The training ends with the first epoch `t` in which

        100 * (E(t) - E_min(t)) / abs(E_min(t)) > alpha,

    where `E` is the monitored loss and `E_min(t)` its minimum so far. A noisy
    loss stops too soon: use `smoothing` of `EarlyStopping`, or
    `SuccessiveIncreases`.

    Prechelt divides by `E_min`, which is the same for errors. The absolute
    value, as in EarlyStopping.jl, makes it hold for losses below zero and for
    metrics to be maximized, whose `E` is the metric with a minus.

    Args:
        alpha: Per cent that the loss may lie above its minimum, a number > 0.
            Prechelt tries 1, 2, 3 and 5. Defaults to `5.0`.

    Raises:
        ValueError: If `alpha` is not above 0.

    Examples:
        >>> criterion = GeneralizationLoss(alpha=10.0)
        >>> state = criterion.start()
        >>> [criterion.stops(state, loss, None) for loss in (2.0, 1.0, 1.2)]
        [False, False, True]

    References:
        Prechelt 1998, Early stopping - but when?
    """

    def __init__(self, alpha: float = 5.0):
        self.alpha = in_range(self, "alpha", alpha, above=0)

    def start(self):
        return {"best": math.inf}

    def stops(self, state, loss, training_loss):
        if loss is None:
            return False
        state["best"] = min(loss, state["best"])
        return generalization_loss(loss, state["best"]) > self.alpha

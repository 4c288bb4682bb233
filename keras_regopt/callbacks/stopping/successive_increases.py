import math

from keras_regopt._registry import register
from keras_regopt._validate import positive_int
from keras_regopt.callbacks.stopping._criterion import StoppingCriterion


@register
class SuccessiveIncreases(StoppingCriterion):
    """Stops when the validation loss rose several times in a row (UP).

    By Prechelt's experiments, the choice for the best result on average where
    a model overfits much. It asks for the sign of the changes alone, not for
    their size, and it compares neighbours, where `patience` compares with the
    best value. Training goes by strips of `k` epochs; it ends after strip `t`
    if

        E(t) > E(t - 1) > ... > E(t - times),

    where `E` is the monitored loss at the end of a strip. What happens within
    a strip does not count, which takes out some of the noise.

    Where validation is rarer than training, the last value of the strip counts,
    and a strip without one is passed over. `inf` and NaN count as a rise.
    `strip=1` makes it the `UP` of EarlyStopping.jl, which knows no strips.

    Args:
        times: Number of rises in a row, `s` in the paper, an integer >= 1.
            Prechelt tries 2, 3, 4, 6 and 8. Defaults to `3`.
        strip: Number of epochs in a strip, an integer >= 1. Defaults to `5`,
            as in the paper.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> criterion = SuccessiveIncreases(times=2, strip=1)
        >>> state = criterion.start()
        >>> losses = [2.0, 1.0, 1.1, 1.2]
        >>> [criterion.stops(state, loss, None) for loss in losses]
        [False, False, False, True]

    References:
        Prechelt 1998, Early stopping - but when?
    """

    def __init__(self, times: int = 3, strip: int = 5):
        self.times = positive_int(self, "times", times)
        self.strip = positive_int(self, "strip", strip)

    def start(self):
        return {"epochs": 0, "loss": None, "before": None, "increases": 0}

    def stops(self, state, loss, training_loss):
        state["epochs"] += 1
        if loss is not None:
            state["loss"] = loss
        if state["epochs"] < self.strip:
            return False
        now, before = state["loss"], state["before"]
        state.update(epochs=0, loss=None)
        if now is None:
            return False
        rose = before is not None and (now > before or now == math.inf)
        state["increases"] = state["increases"] + 1 if rose else 0
        state["before"] = now
        return state["increases"] >= self.times

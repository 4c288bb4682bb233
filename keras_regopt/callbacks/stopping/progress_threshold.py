from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.callbacks.stopping._criterion import (
    StoppingCriterion,
    training_progress,
)


@register
class ProgressThreshold(StoppingCriterion):
    """Stops when the training loss hardly changes any more.

    None of Prechelt's criteria is sure to end a training; this is the rule that
    he combines with them. Give it with one of them, or with `patience`.
    Training goes by strips of `k` epochs; it ends with the first strip in which

        P = 1000 * (mean(T) - min(T)) / abs(min(T)) < threshold,

    where `T` are the values of the monitored metric on the training data in the
    `k` epochs of the strip.

    Args:
        threshold: Per mille that the mean must lie above the minimum, a number
            > 0. Defaults to `0.1`, as in the paper.
        strip: Number of epochs in a strip, an integer >= 2. Defaults to `5`,
            as in the paper.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> criterion = ProgressThreshold(strip=2)
        >>> state = criterion.start()
        >>> losses = [2.0, 1.0, 1.00001, 1.0]
        >>> [criterion.stops(state, None, loss) for loss in losses]
        [False, False, False, True]

    References:
        Prechelt 1998, Early stopping - but when?
    """

    needs_training = True

    def __init__(self, threshold: float = 0.1, strip: int = 5):
        self.threshold = in_range(self, "threshold", threshold, above=0)
        self.strip = integer(self, "strip", strip, low=2)

    def start(self):
        return {"training": []}

    def stops(self, state, loss, training_loss):
        state["training"].append(training_loss)
        if len(state["training"]) < self.strip:
            return False
        losses, state["training"] = state["training"], []
        return training_progress(losses) < self.threshold

from keras_regopt._registry import register
from keras_regopt._validate import boolean, in_range
from keras_regopt.callbacks.stopping._criterion import StoppingCriterion


@register
class GapThreshold(StoppingCriterion):
    """Stops when validation is too much worse than training.

    The distance between the two is the variance of the model: what it knows of
    the training data alone. The training ends with the first epoch in which

        E - T > threshold,        or relative:    E - T > threshold * abs(T),

    where `E` is the monitored loss and `T` the same metric on the training
    data. For a metric to be maximized, such as an accuracy, it is `T - E`.

    Keras averages the training metric over the steps of an epoch, with dropout
    and augmentation on, so the gap begins below zero. It is noisy: use
    `smoothing` of `EarlyStopping`, which smooths both metrics.

    Args:
        threshold: What the gap must exceed, a number >= 0, in the unit of the
            metric.
        relative: Whether `threshold` is a fraction of the training metric.
            Defaults to `False`.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> criterion = GapThreshold(0.1, relative=True)
        >>> state = criterion.start()
        >>> criterion.stops(state, loss=0.55, training_loss=0.52)
        False
        >>> criterion.stops(state, loss=0.56, training_loss=0.5)
        True
    """

    needs_training = True

    def __init__(self, threshold: float, relative: bool = False):
        self.threshold = in_range(self, "threshold", threshold, low=0)
        self.relative = boolean(self, "relative", relative)

    def stops(self, state, loss, training_loss):
        if loss is None:
            return False
        unit = abs(training_loss) if self.relative else 1
        return loss - training_loss > self.threshold * unit

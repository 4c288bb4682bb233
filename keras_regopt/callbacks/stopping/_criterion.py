"""Base of the criteria that `EarlyStopping` asks besides its patience."""

import math

from keras_regopt._config import SignatureConfig
from keras_regopt.callbacks._not_a_callback import NotACallback


class StoppingCriterion(NotACallback, SignatureConfig):
    """Base of the criteria that `EarlyStopping` takes as `criterion`.

    A subclass writes `__init__`, keeps its arguments under their own names,
    writes `start` and `stops`, and is registered. It is a rule and nothing
    more: what it has seen stands in a dict that `EarlyStopping` keeps, so one
    criterion serves many callbacks, and a training in several parts goes on.
    """

    callback_form = "EarlyStopping(criterion={})"
    # Whether it reads the metric on the training data.
    needs_training = False

    def start(self):
        """The state before the first epoch, a dict of plain values."""
        return {}

    def stops(self, state, loss, training_loss):
        """Whether the training shall end with this epoch.

        Args:
            state: The dict that `start` made; it is changed in place.
            loss: The monitored value as one that is the better the smaller it
                is: a metric to be maximized comes with a minus. `inf` stands
                for NaN, and `None` for an epoch without a value.
            training_loss: The same on the training data; `None` unless
                `needs_training` is true.

        Returns:
            A Python `bool`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write "
            "`stops(self, state, loss, training_loss)`."
        )


def generalization_loss(loss, best):
    """By how many per cent a loss lies above the lowest one so far.

    Args:
        loss: A number.
        best: The lowest number so far, at most `loss`.

    Returns:
        `100 * (loss - best) / abs(best)`, a number >= 0; `inf` above zero and
        above anything infinite.
    """
    if loss <= best:
        return 0.0
    if best == 0 or math.isinf(best):
        return math.inf
    return 100 * (loss - best) / abs(best)


def training_progress(losses):
    """By how many per mille the mean of losses lies above their minimum.

    Args:
        losses: The training losses of a strip.

    Returns:
        `1000 * (mean - min) / abs(min)`, a number >= 0; `inf` if one of them
        is not finite, since that is no standstill.
    """
    low = min(losses)
    above = sum(losses) / len(losses) - low
    if not math.isfinite(above):
        return math.inf
    # The mean of equal numbers may be rounded to below them.
    if above <= 0:
        return 0.0
    return 1000 * above / abs(low) if low else math.inf

import math

from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.callbacks.stopping._criterion import (
    StoppingCriterion,
    generalization_loss,
    training_progress,
)


@register
class ProgressQuotient(StoppingCriterion):
    """Stops when overfitting outweighs what is still learned (PQ).

    By Prechelt's experiments, the choice for the best result on average where
    a model overfits little. Training goes by strips of `k` epochs; it ends
    with the first strip at whose end `t`

        GL(t) / P(t) > alpha,

        GL(t) = 100 * (E(t) - E_min(t)) / abs(E_min(t)),
        P(t) = 1000 * (mean(T) - min(T)) / abs(min(T)),

    where `E` is the monitored loss, `E_min(t)` its minimum so far and `T` the
    same metric on the training data in the `k` epochs of the strip. While the
    training loss falls fast, so that `P` is large, a rise of `E` is forgiven.

    Between the ends of strips nothing is decided. Where validation is rarer
    than training, the last value of the strip counts, and a strip without one
    decides nothing. EarlyStopping.jl differs: it looks at the last `k` training
    losses after every epoch, and it also stops when `P` is zero, for which here
    `ProgressThreshold` stands.

    Args:
        alpha: What the quotient must exceed, a number > 0. Prechelt tries 0.5,
            0.75, 1, 2 and 3. Defaults to `0.75`.
        strip: Number of epochs in a strip, `k`, an integer >= 2. Defaults to
            `5`, as in the paper.

    Raises:
        ValueError: If an argument is out of its range.

    Examples:
        >>> criterion = ProgressQuotient(alpha=0.75, strip=2)
        >>> state = criterion.start()
        >>> validation, training = (2.0, 1.0, 1.1, 1.2), (2.0, 1.0, 1.0, 0.99)
        >>> [criterion.stops(state, *e) for e in zip(validation, training)]
        [False, False, False, True]

    References:
        Prechelt 1998, Early stopping - but when?
    """

    needs_training = True

    def __init__(self, alpha: float = 0.75, strip: int = 5):
        self.alpha = in_range(self, "alpha", alpha, above=0)
        self.strip = integer(self, "strip", strip, low=2)

    def start(self):
        return {"best": math.inf, "loss": None, "training": []}

    def stops(self, state, loss, training_loss):
        if loss is not None:
            state["loss"] = loss
            state["best"] = min(loss, state["best"])
        state["training"].append(training_loss)
        if len(state["training"]) < self.strip:
            return False
        last, losses = state["loss"], state["training"]
        state.update(loss=None, training=[])
        if last is None:
            return False
        # Multiplied out, since both may be zero.
        return generalization_loss(last, state["best"]) > (
            self.alpha * training_progress(losses)
        )

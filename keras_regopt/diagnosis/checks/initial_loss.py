"""The loss before training, against that of a constant."""

import numpy as np
from keras import ops

from keras_regopt._keras import graph_nodes, graph_of
from keras_regopt.diagnosis.checks._losses import constant_loss
from keras_regopt.diagnosis.checks.base import Check, Skip

# How many times the loss of a constant the first loss may be.
_HIGH, _HIGH_SQUARED = 3.0, 20.0


class InitialLoss(Check):
    """Whether the loss fits the outputs, and begins where a constant's is.

    A classifier that knows nothing has the loss `ln K`; one of numbers has
    about the variance of the targets. Also finds a softmax that is applied
    twice and logits that are taken for probabilities.
    """

    name = "initial_loss"
    severity = "error"

    def run(self, case):
        loss = case.loss
        if loss.kind is None:
            raise Skip("the loss is of no known kind")
        predicted = case.predict(case.take(case.rows[:256])[0])
        if not np.isfinite(predicted).all():
            yield self.finding(
                "The model predicts values that are not finite.",
                "Look for NaN in inputs and weights, for a division by zero "
                "or a logarithm of zero in the model, and scale the inputs.",
            )
            return
        if loss.kind != "regression":
            yield from self._ranges(case, predicted)
        yield from self._size(case)

    def _ranges(self, case, predicted):
        inside = predicted.min() >= -1e-6 and predicted.max() <= 1 + 1e-6
        sums = predicted.sum(axis=-1)
        many = case.loss.kind != "binary" and predicted.shape[-1] > 1
        sharing = inside and (not many or np.allclose(sums, 1, atol=1e-2))
        told = f"from {predicted.min():.3g} to {predicted.max():.3g}"
        if not case.loss.from_logits and not sharing:
            yield self.finding(
                f"{case.loss.name} takes probabilities (from_logits=False), "
                f"but the outputs are logits: {told}.",
                "Pass from_logits=True to the loss, or end the model with a "
                f"{'softmax' if many else 'sigmoid'}.",
            )
        last = activations(case.model)[-2:]
        squashed = ("softmax",) if many else ("sigmoid", "softmax")
        if case.loss.from_logits and sharing and last[-1:] != ["relu"]:
            yield self.finding(
                f"{case.loss.name} takes logits (from_logits=True), but the "
                f"outputs are probabilities, {told}: the "
                f"{squashed[0]} is applied twice.",
                f"Leave the {squashed[0]} at the end of the model out, or "
                "pass from_logits=False.",
            )
        elif len(last) == 2 and all(name in squashed for name in last):
            yield self.finding(
                f"The model ends with {last[0]} and {last[1]}: the outputs "
                "are squashed twice and never come near 0 and 1.",
                "Leave one of the two out.",
            )

    def _size(self, case):
        constants = constant_loss(case)
        if constants is None:
            raise Skip("nothing is known of the loss of a constant")
        losses = [
            case.probe.gradients(case.probe.batch(number))[0]
            for number in range(3)
        ]
        first = float(np.mean(losses))
        if not np.isfinite(first):
            yield self.finding(
                f"The first loss is {first}.",
                "Look for NaN in the data, targets out of range, and huge "
                "inputs.",
            )
            return
        # Penalties on weights come on top, and are no fault.
        first -= penalty(case.model)
        expected = max(constants)
        regression = case.loss.kind == "regression"
        squared = case.loss.name == "mean_squared_error"
        limit = _HIGH_SQUARED if squared else _HIGH
        if first > limit * expected + 1e-6:
            what = "the spread of the targets" if regression else "ln K"
            yield self.finding(
                f"The loss begins at {first:.3g}; a constant prediction has "
                f"{expected:.3g} ({what}).",
                "Scale the targets to mean 0 and variance 1, or set the bias "
                "of the last layer to their mean."
                if regression
                else "Begin with smaller weights in the last layer, and "
                "scale the inputs.",
                "warning",
            )


def activations(model):
    """The names of the activations on the way to the output, in order.

    Linear ones are left out; of a subclassed model nothing is known.
    """
    graph = graph_of(model)
    if graph is None:
        return []
    names = []
    for node in graph_nodes(graph):
        layer = node.operation
        name = type(layer).__name__
        if name in ("Softmax", "ReLU"):
            names.append(name.lower())
            continue
        activation = getattr(layer, "activation", None)
        name = getattr(activation, "__name__", "")
        if name and name != "linear":
            names.append(name)
        elif getattr(layer, "weights", None):
            # What comes before a weight is squashed for a reason.
            names.append("")
    return names


def penalty(model):
    """What the weights' regularizers add to the loss."""
    return sum(
        float(ops.convert_to_numpy(ops.sum(v.regularizer(v))))
        for v in model.trainable_variables
        if getattr(v, "regularizer", None) is not None
    )

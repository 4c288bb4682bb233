"""Whether the model can learn one batch by heart."""

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import all_layers, direct_layers
from keras_regopt.diagnosis._loss_function import as_arrays
from keras_regopt.diagnosis.checks._losses import constant_loss
from keras_regopt.diagnosis.checks.base import Check, Skip
from keras_regopt.diagnosis.checks.initial_loss import penalty

# Rates of Adam, and the steps to give each.
_TRIALS = ((3e-3, 60), (2e-2, 60), (3e-4, 60))
_CHUNK = 10
# The part of the loss of a constant that a learned batch may keep.
_LEARNED = 0.5


class OneBatch(Check):
    """Whether the model can learn a single batch by heart.

    Trains on at most 32 rows with Adam at three rates, and stops as soon as
    the loss is half of that of a constant. What cannot do this will learn
    nothing from all of the data: weights are frozen, gradients cut off, or
    inputs and targets do not go together as the loss takes them.
    """

    name = "one_batch"
    severity = "error"

    def run(self, case):
        probe = case.probe
        if not probe.variables:
            yield self.finding(
                "No weight of the model is trainable.",
                "Set `trainable = True` on some layers, and compile again.",
            )
            return
        rows = probe.batch(0)
        constants = constant_loss(case, rows)
        if constants is not None and constants[0] < 1e-9:
            raise Skip("all targets of a batch are the same")
        first = best = None
        optimizer = keras.optimizers.Adam(name="one_batch")
        optimizer.build(probe.variables)
        fresh = as_arrays(optimizer.variables)
        for rate, steps in _TRIALS:
            probe.reset()
            for variable, value in zip(optimizer.variables, fresh, strict=True):
                variable.assign(value)
            optimizer.learning_rate = rate
            for _ in range(steps // _CHUNK):
                run = probe.train([rows] * _CHUNK, optimizer)
                if not run.finite:
                    break
                loss = float(np.mean(run.losses[-3:])) - penalty(case.model)
                if first is None:
                    first = run.losses[0] - penalty(case.model)
                best = loss if best is None else min(best, loss)
                base = first if constants is None else min(first, constants[0])
                if best <= _LEARNED * base:
                    probe.reset()
                    return
        probe.reset()
        frozen = [layer.name for layer in frozen_layers(case.model)]
        told = f" Frozen layers: {', '.join(frozen[:6])}." if frozen else ""
        if first is None:
            evidence = "The loss of one batch is not finite."
        else:
            evidence = (
                f"The model cannot learn {len(rows)} rows by heart: in "
                f"{sum(steps for _, steps in _TRIALS)} steps the loss came "
                f"from {first:.3g} to {best:.3g} at best.{told}"
            )
        yield self.finding(
            evidence,
            "Look for frozen layers, gradients that are cut off, inputs that "
            "are all alike, targets that do not go with the inputs, and the "
            "wrong loss; then for strong dropout and penalties.",
        )


class Frozen(Check):
    """Frozen layers that were never trained.

    A layer is frozen to keep what it has learned. One whose biases are all
    zero, or whose moving statistics are those of the beginning, has learned
    nothing.
    """

    name = "frozen"

    def run(self, case):
        frozen = frozen_layers(case.model)
        fresh = [layer.name for layer in frozen if _untrained(layer)]
        if fresh:
            yield self.finding(
                f"Frozen, and as they were made: {', '.join(fresh[:6])} "
                f"({len(fresh)} layers).",
                "Load the pretrained weights before you freeze, or set "
                "`trainable = True` and compile again.",
            )


def frozen_layers(model):
    """The layers of a model whose own weights are all frozen."""
    return [
        layer
        for layer in all_layers(model, include_self=False)
        if not direct_layers(layer) and layer.weights and not layer.trainable
    ]


def _untrained(layer):
    if hasattr(layer, "moving_mean"):
        return not np.any(ops.convert_to_numpy(layer.moving_mean))
    bias = getattr(layer, "bias", None)
    if bias is None or not hasattr(bias, "shape"):
        return False
    return not np.any(ops.convert_to_numpy(bias))

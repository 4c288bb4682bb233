"""Units that always give the same, and inputs that change nothing."""

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import all_layers
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._loss_function import map_arrays
from keras_regopt.diagnosis.checks.base import Check, Skip
from keras_regopt.layers._replaced_calls import replaced_calls

_ROWS = 256
# The part of a layer's units from which on it is told.
_MANY = 0.5
_ENDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


class Units(Check):
    """Dead ReLU units, and sigmoid or tanh units that are saturated.

    A unit is dead if it is zero for all of 256 rows, and saturated if it lies
    within 0.01 of an end for nine rows in ten. A layer is told if most of its
    units are such.
    """

    name = "units"

    def run(self, case):
        layers = [
            layer
            for layer in all_layers(case.model, include_self=False)
            if activation_of(layer) in ("relu", "relu6", *_ENDS)
        ]
        if not layers:
            raise Skip("no layer has a ReLU, a sigmoid or a tanh")
        x = case.take(case.rows[:_ROWS])[0]
        heard = case.evaluate(_listening(case.model, layers), x)
        for index, outputs in sorted(heard.items()):
            yield from self._layer(layers[index], outputs)

    def _layer(self, layer, outputs):
        values = np.array(ops.convert_to_numpy(outputs)).astype("float32")
        values = values.reshape(-1, values.shape[-1])
        kind = activation_of(layer)
        if kind in _ENDS:
            low, high = _ENDS[kind]
            near = (values < low + 0.01) | (values > high - 0.01)
            share = float((near.mean(axis=0) > 0.9).mean())
            if share > _MANY:
                yield self.finding(
                    f"{share:.0%} of the units of {layer.name} ({kind}) are "
                    "saturated.",
                    "Scale the inputs, begin with smaller weights, lower the "
                    "learning rate, or normalize before the activation.",
                )
            return
        share = float((values <= 0).all(axis=0).mean())
        if share > _MANY:
            yield self.finding(
                f"{share:.0%} of the units of {layer.name} ({kind}) are zero "
                "for all rows.",
                "Lower the learning rate, look at the scale of the inputs and "
                "at the biases, or take a leaky ReLU, ELU or GELU.",
            )


class UnusedInputs(Check):
    """Inputs that change nothing, be it one of several or all of them.

    Shuffles each input among the rows and looks at what the model predicts.
    """

    name = "unused_inputs"
    severity = "error"

    def run(self, case):
        rows = case.rows[:64]
        x = case.take(rows)[0]
        if case.count < 4:
            raise Skip("there are fewer than four rows")
        usual = [_array(t) for t in _flat(case.call(x))]
        size = max(
            np.abs(np.concatenate([u.ravel() for u in usual])).max(), 1e-9
        )
        order = np.roll(np.arange(len(rows)), 1)
        for path in _nested.leaves(x, "x"):
            moved = [_array(t) for t in _flat(case.call(_with(x, path, order)))]
            change = max(
                np.abs(a - b).max() for a, b in zip(usual, moved, strict=True)
            )
            if change < 1e-7 * size or not np.isfinite(change):
                whole = path == "x"
                what = "the inputs" if whole else path
                yield self.finding(
                    f"The model does not depend on {what}: with "
                    "those of other rows it predicts the same.",
                    "Look for a preprocessing step that loses them, a layer "
                    "whose output is not used, weights of zero, and dead "
                    "units.",
                )


def _listening(model, layers):
    """A function that gives what layers within a model return, by index."""

    def function(x, **options):
        seen = {}

        def changed(call, index):
            def heard(*arguments, **options):
                seen[index] = outputs = call(*arguments, **options)
                return outputs

            return heard

        with replaced_calls(layers, changed):
            last = {id(t) for t in _flat(model(x, **options))}
        return {
            index: outputs
            for index, outputs in seen.items()
            if hasattr(outputs, "shape") and id(outputs) not in last
        }

    return function


def activation_of(layer):
    """The name of the activation that a layer ends with, or an empty text."""
    name = type(layer).__name__
    if name == "ReLU":
        return "relu"
    # Of a recurrent layer it lies within.
    if hasattr(layer, "cell") or name.endswith("Cell"):
        return ""
    return getattr(getattr(layer, "activation", None), "__name__", "")


def _with(x, path, order):
    """The data, with the rows of one array in another order."""
    found = iter(_nested.leaves(x, "x"))

    def changed(array):
        return _nested.take(array, order) if next(found) == path else array

    return map_arrays(changed, x)


def _flat(outputs):
    return keras.tree.flatten(outputs)


def _array(tensor):
    return np.array(ops.convert_to_numpy(tensor)).astype("float64")

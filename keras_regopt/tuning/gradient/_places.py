"""Where a model has its hyperparameters."""

import dataclasses
import re

import keras

from keras_regopt._hyper_parameter import HyperParameter
from keras_regopt._keras import all_layers, automatic_names, held_rate


@dataclasses.dataclass
class Tuned:
    """A hyperparameter of a model.

    Args:
        parameter: The `HyperParameter`.
        name: What it is called in the history.
        is_smoothing: Whether it is the label smoothing of the loss.
        is_rate: Whether it is the learning rate.
    """

    parameter: HyperParameter
    name: str
    is_smoothing: bool = False
    is_rate: bool = False


def find(model):
    """The hyperparameters of a compiled model, each once.

    Args:
        model: The model.

    Returns:
        A list of `Tuned` objects.

    Raises:
        ValueError: If there is none, or two have one name.
    """
    found = {}
    for label, value in _numbers(model):
        if id(value) not in found:
            found[id(value)] = Tuned(
                value,
                value.name or label,
                is_smoothing=label == "label_smoothing",
                is_rate=label == "learning_rate",
            )
    if not found:
        raise ValueError(
            "The model that `build` returned has no HyperParameter. Give one "
            "in the place of a number, as in "
            "`L2(HyperParameter(1e-4, 1e-6, 1e-2))`."
        )
    names = [tuned.name for tuned in found.values()]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(
            f"Several HyperParameter objects are called {sorted(twice)}. Give "
            "each a `name` of its own, or pass one object to all places that "
            "shall have one value."
        )
    return list(found.values())


def _numbers(model):
    """Pairs of a label and a hyperparameter."""
    counts: dict[str, int] = {}
    for layer in all_layers(model):
        name = _name(layer, counts)
        for attribute, value in vars(layer).items():
            yield from _within(f"{name}.{attribute}", value)
    yield from _within("learning_rate", held_rate(model.optimizer))
    for loss in keras.tree.flatten(model.loss):
        if isinstance(loss, keras.losses.Loss):
            for attribute, value in vars(loss).items():
                yield from _within(attribute, value)


def _name(layer, counts):
    """The name of a layer; Keras counts its own on from model to model."""
    automatic, _ = automatic_names(type(layer).__name__)
    if not re.fullmatch(rf"{automatic}(_\d+)?", layer.name):
        return layer.name
    count = counts[automatic] = counts.get(automatic, 0) + 1
    return automatic if count == 1 else f"{automatic}_{count - 1}"


def _within(label, value):
    if isinstance(value, HyperParameter):
        yield label, value
    elif isinstance(value, keras.regularizers.Regularizer):
        for attribute, inner in vars(value).items():
            yield from _within(f"{label}.{attribute}", inner)

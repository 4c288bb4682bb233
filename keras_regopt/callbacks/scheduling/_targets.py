"""Finding what a name stands for inside of a model."""

import fnmatch

import keras

from keras_regopt._keras import all_layers
from keras_regopt.callbacks.scheduling._traced_number import TracedNumber


def find(model, targets, attribute):
    """The objects whose attribute a callback sets.

    Args:
        model: The model.
        targets: A list of layers, regularizers and names of layers.
        attribute: The name of the attribute, or a path to it such as
            `"kernel_regularizer.rate"`.

    Returns:
        A list of triples: the object, the last name of the path, and a label.

    Raises:
        ValueError: If a target has no such attribute, or no plain number in
            it.
    """
    *path, name = attribute.split(".")
    found = {}
    for target in targets:
        if isinstance(target, str):
            roots = _layers(model, target, path, name)
        else:
            label = getattr(target, "name", type(target).__name__)
            roots = [(label, target)]
        for label, root in roots:
            owner = _walk(root, path)
            label = f"`{attribute}` of {label}"
            _require_number(owner, name, label)
            found[id(owner)] = (owner, name, label)
    return list(found.values())


def _layers(model, pattern, path, name):
    """The layers of a model whose names fit and that have the attribute."""
    layers = [
        (layer.path or layer.name, layer)
        for layer in all_layers(model, include_self=False)
    ]
    able = [(p, v) for p, v in layers if name in _attributes(_walk(v, path))]
    fitting = [
        (p, v)
        for p, v in able
        if fnmatch.fnmatchcase(v.name, pattern)
        or fnmatch.fnmatchcase(p, pattern)
    ]
    if not fitting:
        raise ValueError(
            f"No layer of the model fits '{pattern}' and has an attribute "
            f"`{'.'.join([*path, name])}`. Layers that have it: "
            f"{', '.join(p for p, _ in able) or 'none'}"
        )
    return fitting


def _walk(root, path):
    for step in path:
        root = getattr(root, step, None)
    return root


def _attributes(owner):
    return getattr(owner, "__dict__", {})


def _require_number(owner, name, label):
    value = _attributes(owner).get(name)
    if isinstance(value, TracedNumber):
        return
    # Other integers, such as an axis, follow no schedule.
    if type(value) not in (int, float) or (
        isinstance(value, int) and value not in (0, 1)
    ):
        names = [
            key
            for key, v in _attributes(owner).items()
            if isinstance(v, float) and not key.startswith("_")
        ]
        raise ValueError(
            f"{label} must be an attribute with a plain number, to follow a "
            f"schedule. It is {value!r}. Attributes with a float: "
            f"{', '.join(sorted(names)) or 'none'}"
        )
    if (
        isinstance(owner, keras.layers.Layer)
        and value == 0
        and "seed" in _attributes(owner)
        and getattr(owner, "seed_generator", None) is None
    ):
        raise ValueError(
            f"{label} is 0, and a layer of Keras that was made so has no "
            "random generator. Make it with a number above 0; the schedule "
            "may begin with 0."
        )

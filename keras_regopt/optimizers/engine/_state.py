"""The state of an optimizer in a file: taken as a whole, or not at all."""

import json
import warnings

import numpy as np
from keras import backend

from keras_regopt.optimizers.engine._groups import variable_path

# The entry of a file that says whose state it is, as JSON in bytes, since not
# every kind of file holds strings.
LAYOUT = "layout"


def save_layout(optimizer, variables, store):
    """Writes down which class a state belongs to, and what its variables are.

    Args:
        optimizer: The optimizer.
        variables: Its own variables, in the order in which they are saved.
        store: What Keras gave to `save_own_variables`.
    """
    text = json.dumps(_layout(optimizer, variables))
    store[LAYOUT] = np.frombuffer(text.encode(), "uint8")


def load_state(optimizer, variables, store):
    """Assigns a saved state; nothing of it, with a warning, if it does not fit.

    Args:
        optimizer: The optimizer.
        variables: Its own variables, in the order in which they are saved.
        store: What Keras gave to `load_own_variables`.
    """
    keys = set(store.keys())
    values = [store[str(i)] for i in range(len(keys)) if str(i) in keys]
    layout = None
    if LAYOUT in keys:
        layout = _read(store[LAYOUT])
    elif len(values):
        values = optimizer.upgraded_state(values)
    reason = _misfit(
        variables,
        values,
        layout,
        None if layout is None else _layout(optimizer, variables),
    )
    if reason is None and len(values) + (LAYOUT in keys) < len(keys):
        reason = "the saved optimizer is of another kind"
    if reason is None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return
    # What it keeps for the weights from before is not for those of the file.
    optimizer.restart()
    message = (
        f"Skipping variable loading for optimizer '{optimizer.name}', "
        f"because {reason}. Its own state starts over."
    )
    if not optimizer.built:
        message += (
            " This is likely because the optimizer has not been called/built "
            "yet: call `optimizer.build(model.trainable_variables)` first."
        )
    warnings.warn(message, stacklevel=3)


def _misfit(variables, values, layout, own_layout):
    """Why saved values do not fit; `None` if they do."""
    if layout is not None and layout.get("class") != own_layout["class"]:
        return (
            f"it is of the class {own_layout['class']} and the saved one of "
            f"the class {layout.get('class')}"
        )
    if len(values) != len(variables):
        return (
            f"it has {len(variables)} variables whereas the saved optimizer "
            f"has {len(values)} variables"
        )
    if layout is not None and layout.get("names") != own_layout["names"]:
        return "its variables have other names than the saved ones"
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != tuple(value.shape):
            return (
                f"its variable '{variable.name}' has the shape "
                f"{tuple(variable.shape)} and the saved one "
                f"{tuple(value.shape)}"
            )
        if _is_whole(variable.dtype) != _is_whole(value.dtype):
            return (
                f"its variable '{variable.name}' has the dtype "
                f"{variable.dtype} and the saved one {value.dtype}"
            )
    return None


def _layout(optimizer, variables):
    paths = {
        variable_path(v).replace("/", "_"): i
        for i, v in enumerate(optimizer.model_variables)
    }
    return {
        "class": type(optimizer).__name__,
        "names": [_name(v.name, paths) for v in variables],
    }


def _name(name, paths):
    """A name without that of the model's variable, which is a number there.

    Layers have automatic names, which differ between two equal models.
    """
    ends = [i for i, letter in enumerate(name) if letter == "_"]
    for end in reversed(ends):
        if name[:end] in paths:
            return f"{paths[name[:end]]}{name[end:]}"
    return name


def _read(entry):
    try:
        read = json.loads(np.asarray(entry).astype("uint8").tobytes().decode())
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {}


def _is_whole(dtype):
    # Not the very dtype: the width of integers depends on the backend, and
    # weights may be loaded in another precision.
    try:
        return "int" in backend.standardize_dtype(dtype)
    except ValueError:
        # Files know no bfloat16 and give its bytes.
        return False

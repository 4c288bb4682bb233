"""Checks of data and models."""

import keras
import numpy as np
from keras import ops

from keras_regopt._validate import fail


def checked_data(owner, argument, data, like=None):
    """Inputs and targets as NumPy arrays of equal length.

    Args:
        owner: The tuner.
        argument: The name of the argument.
        data: A tuple of inputs and targets.
        like: Other data, whose rows must have the same shapes. Defaults to
            `None`.

    Returns:
        A tuple.

    Raises:
        ValueError: If they are something else.
    """
    if not isinstance(data, (list, tuple)) or len(data) != 2:
        fail(owner, argument, "a tuple (x, y)", type(data).__name__)
    if any(part is None for part in data):
        fail(owner, argument, "a tuple (x, y) without None", data)
    arrays = keras.tree.map_structure(_array, tuple(data))
    flat = keras.tree.flatten(arrays)
    if any(a.ndim == 0 or a.dtype.kind not in "fiub" for a in flat):
        kinds = [type(a).__name__ for a in keras.tree.flatten(data)]
        fail(owner, argument, "arrays of numbers, or structures of them", kinds)
    lengths = [len(a) for a in flat]
    if len(set(lengths)) > 1 or lengths[0] == 0:
        fail(owner, argument, "of one length above 0", lengths)
    if like is not None:
        shapes, wanted = (
            [a.shape[1:] for a in keras.tree.flatten(d)] for d in (arrays, like)
        )
        if shapes != wanted:
            allowed = f"rows of the shapes of the validation data, {wanted}"
            fail(owner, argument, allowed, shapes)
    return arrays


def _array(x):
    if ops.is_tensor(x):
        x = ops.convert_to_numpy(x)
    x = np.asarray(x)
    return x.astype(keras.config.floatx()) if x.dtype == "float64" else x


def checked_model(owner, model, data):
    """A compiled model, built for data.

    Args:
        owner: The tuner.
        model: What `build` returned.
        data: Inputs and targets.

    Returns:
        The model.

    Raises:
        ValueError: If it is no such model.
    """
    if not isinstance(model, keras.Model) or not model.compiled:
        fail(owner, "build", "a function that returns a compiled model", model)
    x, y = keras.tree.map_structure(lambda a: a[:1], data)
    # Makes the loss know the structure of the targets, too.
    predictions = model(keras.tree.map_structure(ops.convert_to_tensor, x))
    y = keras.tree.map_structure(ops.convert_to_tensor, y)
    model.compute_loss(x=x, y=y, y_pred=predictions, training=False)
    return model

"""Checks of the model and of the data of `fit_full_batch`."""

import math

import keras
import numpy as np
from keras import ops, tree

from keras_regopt._validate import fail, instance_of
from keras_regopt.optimizers.full_batch._objective import (
    largest,
    loss_of,
    map_arrays,
)

_OWNER = "fit_full_batch"


def checked_data(x, y, sample_weight):
    """The data as NumPy arrays, all of the same length.

    Args:
        x: An array or a structure of arrays.
        y: Likewise, or `None`.
        sample_weight: Likewise, or `None`.

    Returns:
        The three as a tuple.

    Raises:
        ValueError: If there is no sample, or the arrays differ in length.
    """
    data = map_arrays(_array, (x, y, sample_weight))
    arrays = [a for a in tree.flatten(data) if a is not None]
    counts = {len(a) if a.ndim else 0 for a in arrays}
    if len(counts) != 1 or 0 in counts:
        fail(
            _OWNER,
            "x",
            "arrays with at least one sample, as many as those of `y` and "
            "`sample_weight`",
            [a.shape for a in arrays],
        )
    return data


def prepare(model, loss, data, batch_size):
    """Compiles and builds a model, and refuses what cannot be fitted.

    Args:
        model: The model.
        loss: The loss to compile it with, or `None`.
        data: What `checked_data` returned.
        batch_size: Samples to evaluate at once, or `None`.

    Raises:
        ValueError: If the model has no loss, no trainable variables, a
            constraint, or a loss that does not go with `batch_size`.
    """
    instance_of(_OWNER, "model", model, keras.Model, "a Keras model")
    if loss is not None and model.compiled:
        fail(_OWNER, "loss", "None for a model that is compiled", loss)
    if loss is not None:
        model.compile(loss=loss)
    if not model.compiled:
        fail(
            _OWNER,
            "model",
            "compiled",
            model.name,
            'Call `model.compile(loss="mse")`, or give a `loss`.',
        )
    # Makes Keras build all variables, those of the loss as well.
    loss_of(model, *map_arrays(lambda a: ops.convert_to_tensor(a[:1]), data))
    own_loss = type(model).compute_loss is not keras.Model.compute_loss
    if model.loss is None and not model.losses and not own_loss:
        fail(_OWNER, "model", "compiled with a loss", model.name)
    if not model.trainable_variables:
        fail(_OWNER, "model", "a model with trainable variables", model.name)
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            fail(
                _OWNER,
                "model",
                "free of constraints, which a line search does not keep to; "
                f"{variable.path} has one",
                model.name,
            )
    for loss in tree.flatten(model.loss):
        reduction = getattr(loss, "reduction", "mean")
        if batch_size and reduction not in ("mean", "sum_over_batch_size"):
            fail(
                _OWNER,
                "batch_size",
                f"None for a loss with the reduction {reduction!r}, which is "
                "no mean over the samples",
                batch_size,
            )


def checked_start(start):
    """The start of a fit; an error if its loss or gradient is not finite."""
    if not (
        math.isfinite(start.loss) and math.isfinite(largest(start.gradient))
    ):
        raise ValueError(
            f"{_OWNER} cannot start: the loss or its gradient is not "
            f"finite. Received: a loss of {start.loss} and a gradient of up to "
            f"{largest(start.gradient)}. Look for values in the data that are "
            "missing or too large."
        )
    return start


def _array(value):
    if ops.is_tensor(value):
        value = ops.convert_to_numpy(value)
    value = np.asarray(value)
    return value.astype(keras.config.floatx()) if _is_double(value) else value


def _is_double(array):
    # Python and NumPy default to float64.
    return array.dtype == np.float64

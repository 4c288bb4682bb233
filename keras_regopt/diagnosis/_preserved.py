"""A model that is put back as it was."""

import contextlib

import numpy as np
from keras import ops

from keras_regopt._keras import held_rate, replace_rate
from keras_regopt._train_step import sync
from keras_regopt.callbacks.backup._random_state import (
    random_states,
    set_random_states,
)
from keras_regopt.callbacks.rates._rates import rate_holders


@contextlib.contextmanager
def preserved(model):
    """Restores all that a check may change in a model, bit for bit.

    That is every variable of the model, its optimizer and its metrics, the
    learning rates, the generators that the process shares, and
    `stop_training`; after an error, too.

    Args:
        model: A built, compiled model.
    """
    sync(model)
    optimizer = model.optimizer
    variables = [*model.variables, *model.metrics_variables]
    if optimizer is not None:
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        variables += optimizer.variables
    values = [(v, np.array(ops.convert_to_numpy(v))) for v in variables]
    holders = [h for _, h in rate_holders(optimizer)] if optimizer else []
    rates = [(holder, held_rate(holder)) for holder in holders]
    draws = random_states()
    stop = model.stop_training
    try:
        yield
    finally:
        for holder, rate in rates:
            replace_rate(holder, rate)
        for variable, value in values:
            variable.assign(value)
        set_random_states(draws)
        model.stop_training = stop

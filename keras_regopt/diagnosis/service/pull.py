"""The penalty L2-SP on a model's weights, for the time of an update."""

import contextlib

import keras
from keras import ops

from keras_regopt.regularizers import L2SP


class _Pull(keras.regularizers.Regularizer):
    """A weight's own penalty, and that on its distance from its start."""

    def __init__(self, variable, rate):
        start = ops.convert_to_numpy(variable.value)
        self.own = variable.regularizer
        self._start = ops.convert_to_tensor(start)
        self._penalty = L2SP(rate)

    def __call__(self, x):
        pull = self._penalty.penalty(x, self._start, self._start)
        if self.own is None:
            return pull
        return pull + ops.cast(self.own(x), pull.dtype)


@contextlib.contextmanager
def pulled(model, rate, optimizer):
    """Context in which a model trains with the pull and another optimizer.

    Args:
        model: A compiled model. Afterwards it is what it was, but for its
            weights.
        rate: Strength of the penalty.
        optimizer: The optimizer to train with.
    """
    pulls = {}
    if rate:
        pulls = {id(v): (v, _Pull(v, rate)) for v in model.trainable_variables}
    own = model.optimizer
    try:
        for variable, pull in pulls.values():
            variable.regularizer = pull
        model.optimizer = optimizer
        # What was traced before does not know the pull.
        model.train_function = model.test_function = None
        yield
    finally:
        for variable, pull in pulls.values():
            variable.regularizer = pull.own
        model.optimizer = own
        model.train_function = model.test_function = None


def loss_of(model, data, batch_size):
    """The loss of a model on data, without the penalties on its weights."""
    x, y = data
    found = model.evaluate(
        x, y, batch_size=batch_size, return_dict=True, verbose=0
    )
    penalties = sum(
        float(ops.convert_to_numpy(variable.regularizer(variable)))
        for variable in model.trainable_variables
        if variable.regularizer is not None
    )
    return float(found["loss"]) - penalties

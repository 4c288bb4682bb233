"""All that training changes in a model, saved and restored."""

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import held_rate, replace_rate
from keras_regopt._train_step import sync
from keras_regopt.callbacks.rates._rates import rate_holders


class Snapshot:
    """The state of a model and of its optimizer at one moment.

    That is every variable: weights, statistics of normalization, seed
    generators, the optimizer's state with its count of steps, and metrics;
    the learning rates, be they numbers, schedules or functions; and the
    attributes that `fit` sets.

    Args:
        model: A built, compiled model. Its optimizer is built, if it is not.
    """

    def __init__(self, model):
        sync(model)
        optimizer = model.optimizer
        if not optimizer.built:
            with keras.name_scope(optimizer.name):
                optimizer.build(model.trainable_variables)
        variables = [
            *model.variables,
            *model.metrics_variables,
            *optimizer.variables,
        ]
        self._model = model
        self._values = [
            # A copy, since some backends hand out their own memory.
            (v, np.array(ops.convert_to_numpy(v)))
            for v in variables
        ]
        self._rates = [
            (holder, held_rate(holder)) for _, holder in rate_holders(optimizer)
        ]
        self._stop_training = model.stop_training

    def restore(self):
        """Makes the model and its optimizer as they were."""
        sync(self._model)
        # Metrics that were made since are not among the variables.
        self._model.reset_metrics()
        for variable, value in self._values:
            variable.assign(value)
        for holder, rate in self._rates:
            replace_rate(holder, rate)
        self._model.stop_training = self._stop_training
        # The one in use has the rates of the meantime compiled into it.
        self._model.make_train_function(force=True)

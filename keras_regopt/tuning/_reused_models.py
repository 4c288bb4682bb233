"""Models that are compiled once and trained for many trials."""

import collections
import math
import warnings
from typing import Any

import keras
import keras_tuner
import numpy as np

from keras_regopt._keras import draw_before_fit, own_variables
from keras_regopt._train_step.step_number import step_number
from keras_regopt._validate import boolean, fail
from keras_regopt.callbacks.scheduling._scheduled_attribute import (
    schedule_attribute,
)
from keras_regopt.callbacks.scheduling._traced_number import TracedNumber
from keras_regopt.tuning._structure import IncomparableError, structure_of
from keras_regopt.tuning.asha_oracle import AshaOracle
from keras_regopt.tuning.pruning_callback import PruningCallback

# How many structures keep a compiled model, the latest ones.
_MOST = 4
# How many bytes of weights may wait for Python to collect them.
_GARBAGE = 2**26
# What else a training leaves, at most.
_TRAINING = 2**20
# They change nothing of a model but its weights and its learning rate.
_CALLBACKS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.TerminateOnNaN,
    PruningCallback,
)


def check_reuse_models(owner, reuse_models, oracle, save_freq):
    """Whether trials share compiled models: none that go on from backups."""
    boolean(owner, "reuse_models", reuse_models)
    if reuse_models and isinstance(oracle, AshaOracle):
        fail(owner, "reuse_models", "False with AshaOracle", reuse_models)
    if reuse_models and save_freq is not None:
        fail(owner, "reuse_models", "False with `save_freq`", reuse_models)
    return reuse_models


def check_reuse(owner, callbacks):
    """Refuses what might change a model that later trials train."""
    if not owner.reuse_models:
        return
    hypermodel = owner.hypermodel
    if type(hypermodel).fit is not keras_tuner.HyperModel.fit:
        allowed = "without a `fit` of its own under `reuse_models=True`"
        remedy = "Its code might change the model that the next trial trains."
        fail(owner, "hypermodel", allowed, hypermodel, remedy)
    for callback in callbacks:
        if type(callback) not in _CALLBACKS:
            names = ", ".join(sorted(cls.__name__ for cls in _CALLBACKS))
            allowed = f"of these classes under `reuse_models=True`: {names}"
            remedy = "Others might change the model that the next trial trains."
            fail(owner, "callbacks", allowed, callback, remedy)


class ReusedModels:
    """The compiled models of a search, by their structure.

    Every training has a model that was built for it. Where a compiled one of
    the same structure is at hand, this one gets the weights, the states of the
    random generators, the optimizer's state and the numbers of the new one,
    and is trained in its place. Under torch, which compiles nothing, each model
    is trained itself.

    Attributes:
        compiled: How many models have been trained themselves.
        last_is_new: Whether the last one of all was.
    """

    def __init__(self):
        self.compiled = 0
        self.last_is_new = False
        self._kept = collections.OrderedDict()
        self._reasons = set()
        self._garbage = math.inf

    def instead_of(self, model, x):
        """The model to train in the place of one that was just built.

        Args:
            model: The model.
            x: The inputs that it will be trained on.

        Returns:
            The model itself, or one that is compiled.
        """
        trained = self._compiled_or_new(model, x)
        self.last_is_new = trained is model
        self.compiled += self.last_is_new
        return trained

    def _compiled_or_new(self, model, x):
        if keras.backend.backend() == "torch":
            return model
        try:
            return self._of_same_structure(model, x)
        except IncomparableError as error:
            self._warn(str(error))
        self._garbage = math.inf
        return model

    def _of_same_structure(self, model, x):
        if not model.built and isinstance(x, np.ndarray):
            # As `fit` does; no random number is drawn.
            model.build((None, *x.shape[1:]))
        structure = structure_of(model)
        kept = self._kept.pop(structure.text, None)
        if kept is None or not kept.is_whole:
            kept = _CompiledModel(model, structure.numbers)
        else:
            kept.take_over(model, structure.numbers)
            size = sum(4 * math.prod(v.shape) for v in model.variables)
            self._garbage += 3 * size + _TRAINING
        self._kept[structure.text] = kept
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
            self._garbage = math.inf
        return kept.model

    def forget(self, model):
        """Drops a model whose training an error has ended."""
        for text, kept in list(self._kept.items()):
            if kept.model is model:
                del self._kept[text]

    def must_free_memory(self):
        """Whether Python should collect garbage now, which takes long."""
        must = self._garbage > _GARBAGE
        self._garbage = 0
        return must

    def _warn(self, reason):
        if reason not in self._reasons:
            self._reasons.add(reason)
            warnings.warn(
                "Despite `reuse_models`, a model is compiled for itself: "
                f"{reason}.",
                stacklevel=2,
            )


class _CompiledModel:
    """A model that is trained again and again.

    Args:
        model: A built and compiled model that has not been trained.
        numbers: Those of its `Structure`.
    """

    def __init__(self, model, numbers):
        self.model = model
        self._optimizer = model.optimizer
        _build_optimizer(model)
        self._numbers: list[Any] = []
        try:
            for number in numbers:
                self._numbers.append(_traced(model, number))
        except ValueError as error:
            for traced in self._numbers:
                traced.end()
            raise IncomparableError(str(error).rstrip(".")) from error

    @property
    def is_whole(self):
        """Whether nobody has compiled it with another optimizer."""
        return self.model.optimizer is self._optimizer

    def take_over(self, model, numbers):
        """Makes the model equal to one that was just built.

        Args:
            model: A model of the same structure.
            numbers: Those of its `Structure`.
        """
        own = [v for v in self.model.variables if type(v) is not TracedNumber]
        for variable, other in zip(own, model.variables, strict=True):
            variable.assign(_copied(other))
        _build_optimizer(model)
        self._optimizer.set_weights(
            [_copied(v) for v in model.optimizer.variables]
        )
        for traced, number in zip(self._numbers, numbers, strict=True):
            traced.set(number.value)
        if keras.backend.backend() == "jax":
            draw_before_fit(self.model)


class _Decay(TracedNumber):
    """A weight decay that the optimizers here multiply by a factor."""

    def __mul__(self, factor):
        # They ask in Python whether there is any.
        return step_number(self.value * factor, keras.config.floatx())


class _TracedDecay:
    """The weight decay of an optimizer, as a variable."""

    def __init__(self, number):
        self._optimizer = number.owner
        self._traced = _Decay(number.label, number.value, keras.config.floatx())
        # Past Keras' tracking, which would have it in the file.
        vars(self._optimizer)["weight_decay"] = self._traced
        if keras.backend.backend() == "jax":
            # Its step sees only the variables of the optimizer. The last one,
            # so that the others keep their places.
            own_variables(self._optimizer).append(self._traced)

    def set(self, value):
        self._traced.move_to(value)
        self._traced.assign(value)

    def end(self):
        """Makes it a plain number again."""
        vars(self._optimizer)["weight_decay"] = self._traced.number
        variables = own_variables(self._optimizer)
        variables[:] = [v for v in variables if v is not self._traced]


def _traced(model, number):
    """Has compiled steps read a number as a variable."""
    if number.owner is model.optimizer:
        return _TracedDecay(number)
    return schedule_attribute(
        model, number.owner, number.attribute, number.label, number.value
    )


def _build_optimizer(model):
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _copied(variable):
    """The value as an array of its own, since JAX gives its buffers away."""
    return np.array(keras.ops.convert_to_numpy(variable))

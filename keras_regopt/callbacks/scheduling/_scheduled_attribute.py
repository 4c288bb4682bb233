"""Attributes of layers and regularizers that follow a schedule in a fit."""

import contextlib
import types

import keras

from keras_regopt.callbacks._jax_state import put_into_next_step
from keras_regopt.callbacks.scheduling._compiled_number import REMEDY, Strength
from keras_regopt.callbacks.scheduling._trial import runs


def follow(model, owner, attribute, label, number):
    """Lets an attribute follow a schedule for as long as a fit lasts.

    Args:
        model: The model in training.
        owner: The layer or regularizer.
        attribute: The name of an attribute that holds a plain number.
        label: What to call it in errors.
        number: The first value.

    Returns:
        An object with `set(number)` and `end()`.
    """
    # Torch runs the Python code in each step.
    if keras.backend.backend() == "torch":
        return _Attribute(owner, attribute, number)
    return _Compiled(model, owner, attribute, label, number)


class _Attribute:
    """An attribute that is read anew in each step anyway."""

    def __init__(self, owner, attribute, number):
        self._owner = owner
        self._attribute = attribute
        self.set(number)
        self.is_read = True

    def set(self, number):
        vars(self._owner)[self._attribute] = number

    def end(self):
        """Leaves the attribute as it is."""


class _Compiled:
    """An attribute that is a variable for the time being.

    Under JAX, a train step sees only the variables of the model, so it is put
    among these, next to the states of the seed generators: the only ones that
    Keras does not save.
    """

    def __init__(self, model, owner, attribute, label, number):
        self._model = model
        self._owner = owner
        self._attribute = attribute
        self.label = label
        _end(model, owner, attribute)
        dtype = getattr(owner, "variable_dtype", keras.config.floatx())
        with _scope(model):
            self.strength = Strength(label, number, dtype)
        # Past Keras' tracking, which would save it with the layer.
        vars(owner)[attribute] = self.strength
        vars(owner)["get_config"] = _config_with_numbers(owner)
        if keras.backend.backend() == "jax":
            holder = types.SimpleNamespace(state=self.strength)
            model._seed_generators.append(holder)
        self._require_to_run()

    def _require_to_run(self):
        """Finds out before training what the first step would fail with."""
        owner, strength = self._owner, self.strength
        error = runs(owner, strength)
        strength.reads = 0
        if error is None:
            return
        vars(owner)[self._attribute] = strength.number
        unrelated = runs(owner, strength) is not None
        vars(owner)[self._attribute] = strength
        if not unrelated:
            self.end()
            raise ValueError(
                f"The code of {self.label} needs a Python number. {REMEDY}"
            ) from error

    def set(self, number):
        self.strength.move_to(number)
        # In the middle of an epoch, JAX's trainer holds the values.
        if getattr(self._model, "_jax_state_synced", True):
            self.strength.assign(number)
        else:
            put_into_next_step(self._model, self.strength, number)

    @property
    def is_read(self):
        """Whether compiled code asks for the value."""
        return self.strength.reads > 0

    def end(self):
        _end(self._model, self._owner, self._attribute)


def _end(model, owner, attribute):
    """Makes an attribute a plain number again, also after a fit that failed."""
    kept = vars(owner)
    strength = kept[attribute]
    if not isinstance(strength, Strength):
        return
    kept[attribute] = strength.number
    if not _strengths(owner):
        del kept["get_config"]
    if keras.backend.backend() == "jax":
        model._seed_generators[:] = [
            g for g in model._seed_generators if g.state is not strength
        ]


def _strengths(owner):
    return {k: v for k, v in vars(owner).items() if isinstance(v, Strength)}


def _config_with_numbers(owner):
    def get_config():
        strengths = _strengths(owner)
        vars(owner).update({k: v.number for k, v in strengths.items()})
        try:
            return type(owner).get_config(owner)
        finally:
            vars(owner).update(strengths)

    return get_config


def _scope(model):
    strategy = getattr(model, "_distribute_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def remake_functions(model, train=False):
    """Has the model's compiled functions made anew when they are needed.

    Args:
        model: The model.
        train: Whether to make the train function at once, as `fit` does
            before training begins.
    """
    model.train_function = model.test_function = model.predict_function = None
    if train:
        model.make_train_function()

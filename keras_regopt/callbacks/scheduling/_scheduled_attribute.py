"""Attributes of layers and regularizers that follow a schedule in a fit."""

import contextlib

import keras

from keras_regopt import _train_step
from keras_regopt._keras import (
    clear_losses,
    in_sync,
    strategy_of_model,
    symbolic_input,
    takes_training,
)
from keras_regopt.callbacks.scheduling._traced_number import (
    REMEDY,
    TracedNumber,
)

# For the sizes that a symbolic input leaves open.
_SOME_SIZE = 4


def schedule_attribute(model, owner, attribute, label, number):
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
        return _PlainAttribute(owner, attribute, number)
    return _TracedAttribute(model, owner, attribute, label, number)


class _PlainAttribute:
    """An attribute that is read in each step anyway."""

    def __init__(self, owner, attribute, number):
        self._owner = owner
        self._attribute = attribute
        self.set(number)
        self.is_read = True

    def set(self, number):
        vars(self._owner)[self._attribute] = number

    def end(self):
        """Leaves the attribute as it is."""


class _TracedAttribute:
    """An attribute that is a variable for the time being."""

    def __init__(self, model, owner, attribute, label, number):
        self._model = model
        self._owner = owner
        self._attribute = attribute
        self.label = label
        _end(model, owner, attribute)
        dtype = getattr(owner, "variable_dtype", keras.config.floatx())
        with _scope(model):
            self._traced = TracedNumber(label, number, dtype)
        # Past Keras' tracking, which would save it with the layer.
        vars(owner)[attribute] = self._traced
        vars(owner)["get_config"] = _config_with_numbers(owner)
        if keras.backend.backend() == "jax":
            self._pending = _train_step.PendingValue(self._traced)
            _train_step.register(model, self._pending)
        self._require_to_trace()

    def _require_to_trace(self):
        """Finds out before training what the first step would fail with."""
        owner, traced = self._owner, self._traced
        error = _trace_error(owner, traced)
        traced.reads = 0
        if error is None:
            return
        vars(owner)[self._attribute] = traced.number
        unrelated = _trace_error(owner, traced) is not None
        vars(owner)[self._attribute] = traced
        if not unrelated:
            self.end()
            raise ValueError(
                f"The code of {self.label} needs a Python number. {REMEDY}"
            ) from error

    def set(self, number):
        self._traced.move_to(number)
        # In the middle of an epoch, JAX's trainer holds the values.
        if in_sync(self._model):
            self._traced.assign(number)
        else:
            self._pending.put(number)

    @property
    def is_read(self):
        """Whether compiled code asks for the value."""
        return self._traced.reads > 0

    def end(self):
        _end(self._model, self._owner, self._attribute)


def _end(model, owner, attribute):
    """Makes an attribute a plain number again, also after a fit that failed."""
    own = vars(owner)
    traced = own[attribute]
    if not isinstance(traced, TracedNumber):
        return
    own[attribute] = traced.number
    if not _traced_numbers(owner):
        del own["get_config"]
    if keras.backend.backend() == "jax":
        _train_step.unregister(model, _train_step.PendingValue(traced).key)


def _traced_numbers(owner):
    return {k: v for k, v in vars(owner).items() if isinstance(v, TracedNumber)}


def _config_with_numbers(owner):
    def get_config():
        traced = _traced_numbers(owner)
        vars(owner).update({k: v.number for k, v in traced.items()})
        try:
            return type(owner).get_config(owner)
        finally:
            vars(owner).update(traced)

    return get_config


def _scope(model):
    strategy = strategy_of_model(model)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def _trace_error(layer, traced):
    """Traces the call of a layer in training, as a compiled step would.

    Args:
        layer: The layer. One that has no symbolic input, since it is called
            in the code of another one, and what is no layer pass untraced.
        traced: The `TracedNumber` that the layer may read.

    Returns:
        `None`, or the exception that was raised.
    """
    # Regularizers have none.
    inputs = symbolic_input(layer)
    if not isinstance(inputs, keras.KerasTensor):
        return None
    try:
        _trace[keras.backend.backend()](layer, inputs, traced)
    except Exception as error:
        return error
    finally:
        clear_losses(layer)
    return None


def _called(layer, x):
    if takes_training(layer):
        return layer(x, training=True)
    return layer(x)


def _trace_on_tensorflow(layer, inputs, traced):
    import tensorflow as tf

    call = tf.function(lambda x: _called(layer, x), autograph=False)
    call.get_concrete_function(tf.TensorSpec(inputs.shape, inputs.dtype))


def _trace_on_jax(layer, inputs, traced):
    import jax

    def call(value, x):
        with keras.StatelessScope(state_mapping=[(traced, value)]):
            return _called(layer, x)

    shape = [_SOME_SIZE if size is None else size for size in inputs.shape]
    jax.eval_shape(
        call,
        jax.ShapeDtypeStruct((), traced.dtype),
        jax.ShapeDtypeStruct(shape, inputs.dtype),
    )


_trace = {"tensorflow": _trace_on_tensorflow, "jax": _trace_on_jax}

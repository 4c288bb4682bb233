"""Running a model in double precision, on every backend."""

import contextlib

import keras
from keras.src.backend.common import dtypes
from keras.src.backend.common.stateless_scope import StatelessScope

from keras_regopt._keras.classes import Functional
from keras_regopt._keras.layers import all_layers
from keras_regopt._keras.models import compiled_loss


class ValuesScope(StatelessScope):
    """A scope in which variables have other values, of whatever dtype.

    Args:
        variables: List of Keras variables.
        values: Their values, a list of tensors.
    """

    def __init__(self, variables, values):
        super().__init__(collect_losses=True, initialize_variables=False)
        for variable, value in zip(variables, values, strict=True):
            self.state_mapping[id(variable)] = value


@contextlib.contextmanager
def double_precision(model):
    """Computes a model and its loss in float64, while a `with` lasts.

    Values come by a `ValuesScope`; those of the model stay as they are.

    Args:
        model: A compiled model whose loss has been computed once.
    """
    policy = keras.dtype_policies.DTypePolicy("float64")
    changes = [(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")]
    for layer in all_layers(model):
        changes.append((vars(layer), "_dtype_policy", policy))
        if isinstance(layer, Functional):
            changes += _as_doubles(layer.inputs)
    changes += _as_doubles(model.variables)
    for loss in losses_of(model):
        changes.append((vars(loss), "_dtype", "float64"))
    before = [(holder, key, holder[key]) for holder, key, _ in changes]
    floatx = keras.config.floatx()
    try:
        for holder, key, value in changes:
            holder[key] = value
        keras.config.set_floatx("float64")
        with _x64():
            yield
    finally:
        keras.config.set_floatx(floatx)
        for holder, key, value in before:
            holder[key] = value


def losses_of(model):
    """The losses that a model was compiled with, and what adds them up."""
    loss = compiled_loss(model)
    if loss is None:
        return []
    parts = [part.loss for part in getattr(loss, "_flat_losses", None) or []]
    return [part for part in [loss, *parts] if hasattr(part, "_dtype")]


def _as_doubles(tensors):
    return [
        (vars(tensor), "_dtype", "float64")
        for tensor in tensors
        if "float" in keras.backend.standardize_dtype(vars(tensor)["_dtype"])
    ]


def _x64():
    """JAX's switch to 64 bits; the others need none."""
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # type: ignore[attr-defined]

    return enable_x64()

"""Numbers that a gradient tunes while a model trains."""

import contextlib
import contextvars
import math
import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._keras import in_stateless_scope
from keras_regopt._registry import PACKAGE
from keras_regopt._validate import fail, in_range, instance_of, one_of

_SCALES = ("log", "linear", "logit")
_REMEDIES = {
    "log": "A logarithmic scale has no 0.",
    "logit": "The scale of the logit ends before 0 and 1.",
}

# In this thread and context: tensors by the identity of the hyperparameter.
_present: contextvars.ContextVar[dict[int, Any] | None]
_present = contextvars.ContextVar("hyperparameters", default=None)


@keras.saving.register_keras_serializable(PACKAGE)
class HyperParameter(SignatureConfig):
    """A hyperparameter that `GradientTuner` moves while the model trains.

    It stands in the place of a number, and of these alone: `L1.l1`, `L2.l2`,
    `ElasticNet.rate`, `SmoothedCrossentropy.label_smoothing`, `Dropout.rate`,
    `GaussianNoise.stddev`, `RandomGaussianNoise.stddev`, and the
    `learning_rate` of any optimizer. Elsewhere it is refused. A layer, a
    regularizer or a loss of your own may keep one as an attribute and call it:
    `self.strength()` is a scalar tensor.

    Without a tuner it is a number that stays. `Dropout` with one is concrete in
    training: units are scaled by numbers near 0 or 1, through which a gradient
    reaches the rate. Configurations hold the present value, so a saved model
    goes on from there.

    Args:
        value: The number to begin with, within the bounds.
        low: The lowest value.
        high: The highest value, above `low`.
        scale: `"log"`, for which `low` must be above 0; `"linear"`; or
            `"logit"`, for rates that may come near to 0 or 1, for which the
            bounds must lie between these. Steps are taken on this scale, in
            fractions of the way from `low` to `high`. Defaults to `"log"`.
        name: What it is called in the tuner's `history`. Defaults to `None`, a
            name made of the layer and the argument.

    Raises:
        ValueError: If the bounds are reversed, do not fit the scale, or do not
            hold the value.

    Examples:
        >>> strength = HyperParameter(1e-4, 1e-6, 1e-2)
        >>> strength.value, round(strength.position_of(1e-5), 2)
        (0.0001, 0.25)

    References:
        Maclaurin, Duvenaud and Adams 2015, Gradient-based hyperparameter
        optimization through reversible learning (arXiv 1502.03492).
    """

    def __init__(
        self,
        value: float,
        low: float,
        high: float,
        scale: str = "log",
        name: str | None = None,
    ):
        self.scale = one_of(self, "scale", scale, _SCALES)
        above = None if scale == "linear" else 0
        below = 1 if scale == "logit" else None
        self.low, self.high = (
            in_range(
                self,
                argument,
                bound,
                above=above,
                below=below,
                remedy=_REMEDIES.get(scale, ""),
            )
            for argument, bound in (("low", low), ("high", high))
        )
        if self.low >= self.high:
            fail(self, "low", f"below `high`, which is {high}", low)
        number = in_range(self, "value", value, self.low, self.high)
        if name is not None:
            instance_of(self, "name", name, str, "a string or None")
        self.name = name
        self.reads = 0
        self.is_compiled_in = False
        self._variable = keras.Variable(
            number,
            dtype="float32",
            trainable=False,
            autocast=False,
            name="hyperparameter",
        )
        self._number = float(number)

    @property
    def value(self):
        """The present value, a Python float."""
        return self._number

    def assign(self, value):
        """Sets the present value.

        On JAX, train functions that are compiled already keep the value of
        before, and there is a warning.

        Args:
            value: A number within the bounds.
        """
        number = in_range(self, "value", value, self.low, self.high)
        if self.is_compiled_in:
            self.is_compiled_in = False
            warnings.warn(
                f"{self!r} is a constant in functions that JAX has compiled. "
                "Compile the model again, so that they see the new value.",
                stacklevel=2,
            )
        self._number = float(number)
        self._variable.assign(number)

    def __call__(self):
        """The present value, a scalar tensor, as compiled code needs it."""
        self.reads += 1
        instead = (_present.get() or {}).get(id(self))
        if instead is not None:
            return instead
        if keras.backend.backend() == "jax" and in_stateless_scope():
            self.is_compiled_in = True
        return self._variable.value

    def of(self, dtype):
        """The present value as a tensor of a dtype."""
        return ops.cast(self(), dtype)

    def position_of(self, value):
        """Where a value lies between the bounds on the scale, from 0 to 1."""
        low, number, high = (
            _SCALE[self.scale](x) for x in (self.low, value, self.high)
        )
        return (number - low) / (high - low)

    def at(self, position):
        """The value at a position between the bounds, a tensor.

        Args:
            position: Scalar tensor from 0 to 1.
        """
        low, high = _SCALE[self.scale](self.low), _SCALE[self.scale](self.high)
        return _BACK[self.scale](low + (high - low) * position)

    def number_at(self, position):
        """As `at`, of and to a Python number within the bounds."""
        low, high = _SCALE[self.scale](self.low), _SCALE[self.scale](self.high)
        number = _NUMBER[self.scale](low + (high - low) * position)
        return min(max(number, self.low), self.high)

    def __mul__(self, other):
        if isinstance(other, (int, float)):
            return self() * other
        return self.of(other.dtype) * other

    __rmul__ = __mul__

    def __float__(self):
        if id(self) in (_present.get() or {}):
            raise TypeError(
                f"{self!r} is asked for a Python number inside of a step that "
                "tunes it. Call it instead, `hyperparameter()`, and compute "
                "with `keras.ops`."
            )
        return self._number


_SCALE: dict[str, Callable[[float], float]] = {
    "log": math.log,
    "linear": float,
    "logit": lambda x: math.log(x / (1 - x)),
}
_BACK: dict[str, Callable[[Any], Any]] = {
    "log": ops.exp,
    "linear": lambda x: x,
    "logit": ops.sigmoid,
}
_NUMBER: dict[str, Callable[[float], float]] = {
    "log": math.exp,
    "linear": float,
    "logit": lambda x: 1 / (1 + math.exp(-x)),
}


@contextlib.contextmanager
def values_of(hyperparameters, values):
    """Context in which hyperparameters have the values of tensors.

    Args:
        hyperparameters: List of `HyperParameter` objects.
        values: List of scalar tensors.
    """
    now = dict(_present.get() or {})
    for each, value in zip(hyperparameters, values, strict=True):
        now[id(each)] = value
    token = _present.set(now)
    try:
        yield
    finally:
        _present.reset(token)


def tunable(owner, argument, value, low=None, high=None, **limits):
    """A number between bounds, or a `HyperParameter` whose bounds are there.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        low: Smallest value that is allowed.
        high: Largest value that is allowed.
        **limits: More of `in_range`.

    Returns:
        The value as a Python number, or the hyperparameter.

    Raises:
        ValueError: If the value is neither, or out of bounds.
    """
    if not is_tuned(value):
        return in_range(owner, argument, value, low, high, **limits)
    for bound in (value.low, value.high):
        in_range(owner, argument, bound, low, high, **limits)
    return value


def is_tuned(value):
    """Whether an argument is a hyperparameter, not a number."""
    return isinstance(value, HyperParameter)


def number_of(value):
    """The present number of a hyperparameter, or the number itself."""
    return value.value if is_tuned(value) else value

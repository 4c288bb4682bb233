"""Configurations read from constructor signatures."""

import inspect

import keras
import numpy as np

from keras_regopt import _repr
from keras_regopt._hints import Hinting


class SignatureConfig(Hinting):
    """Derives `get_config`, `from_config` and `repr` from the constructors.

    Every argument of every `__init__` between a class and this one is looked
    up on the object under its own name, so a class that keeps its arguments
    needs no `get_config`. A configuration holds plain JSON values: tuples
    become lists, NumPy scalars Python numbers, and Keras objects their
    serialized form.
    """

    def get_config(self):
        """The arguments that make an equal object.

        Returns:
            A dict that `json.dumps` accepts.
        """
        config = self._keras_config()
        for name in signature_arguments(type(self)):
            if name not in config:
                config[name] = _serialize(_kept_argument(self, name))
        return config

    def _keras_config(self):
        """What the Keras base class itself puts into the configuration."""
        return {}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes an object from what `get_config` returned.

        Args:
            config: The dict that `get_config` returned.
            custom_objects: Optional dict of names and classes or functions,
                for nested objects that are not registered.

        Returns:
            An object of this class.
        """
        with keras.saving.custom_object_scope(custom_objects or {}):
            return cls(**{k: _deserialize(v) for k, v in config.items()})

    def __repr__(self):
        """The arguments that differ from the default, as a call."""
        own = signature_arguments(type(self))
        # Twice: the order is ours, and so are the defaults.
        parameters = {**own, **_keras_arguments(type(self)), **own}
        values = self._config_to_show()
        for name in own:
            if name not in values and hasattr(self, name):
                values[name] = getattr(self, name)
        return _repr.call(type(self), parameters, values)

    def _config_to_show(self):
        try:
            return dict(self._keras_config())
        except Exception:
            # Half made, or in a graph, where no variable can be read.
            return {}


def signature_arguments(cls):
    """The constructor arguments of a class, its own first, then its bases'.

    Args:
        cls: A class that derives from `SignatureConfig`.

    Returns:
        A dict of names and `inspect.Parameter` objects. The constructors of
        Keras' own classes do not count, nor do those behind a constructor
        that takes no `**kwargs` and so hands nothing on.
    """
    arguments: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if not issubclass(base, SignatureConfig) or "__init__" not in vars(
            base
        ):
            continue
        signature = inspect.signature(vars(base)["__init__"])
        parameters = list(signature.parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in (
                parameter.POSITIONAL_OR_KEYWORD,
                parameter.KEYWORD_ONLY,
            ):
                arguments.setdefault(parameter.name, parameter)
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return arguments


def _keras_arguments(cls):
    """The constructor arguments of the classes of Keras that a class is of."""
    arguments: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        ours = issubclass(base, SignatureConfig)
        if not ours and base is not object and "__init__" in vars(base):
            for name, parameter in _repr.constructor_arguments(base).items():
                arguments.setdefault(name, parameter)
    return arguments


def _kept_argument(owner, name):
    try:
        return getattr(owner, name)
    except AttributeError:
        raise AttributeError(
            f"{type(owner).__name__} must keep its argument `{name}` as "
            f"`self.{name}`, so that it can be saved."
        ) from None


def _serialize(value):
    if isinstance(value, dict):
        return {k: _serialize(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_serialize(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    serialized = keras.saving.serialize_keras_object(value)
    # The configurations of Keras' models hold tuples.
    return (
        _serialize(serialized) if isinstance(serialized, dict) else serialized
    )


def _deserialize(value):
    if isinstance(value, dict):
        if "class_name" in value:
            return keras.saving.deserialize_keras_object(value)
        return {k: _deserialize(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_deserialize(v) for v in value]
    return value

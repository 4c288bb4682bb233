"""The list of this package's classes; everything else is derived from it."""

import keras

PACKAGE = "keras_regopt"

_classes: dict[str, type] = {}


def register(cls):
    """Registers a class in Keras' serialization and in this package's list.

    Args:
        cls: The class. Its name becomes part of the file format of saved
            models, so it must never change afterwards.

    Returns:
        The class itself, so that this serves as a decorator.

    Raises:
        ValueError: If a class of this name is registered already.
    """
    name = cls.__name__
    if name in _classes:
        known = _classes[name]
        raise ValueError(
            f"{name} is registered already, by {known.__module__}. "
            f"Received: a second {name}, from {cls.__module__}"
        )
    _classes[name] = keras.saving.register_keras_serializable(PACKAGE)(cls)
    return cls


def registered(kind=object):
    """The registered classes of a kind, in the order of their names.

    Args:
        kind: A base class, such as `keras.optimizers.Optimizer`. Defaults to
            `object`, which gives every class.

    Returns:
        A list of classes.
    """
    return [cls for _, cls in sorted(_classes.items()) if issubclass(cls, kind)]

from typing import Any

import keras

from keras_regopt._named import get_of


def get(
    identifier: str | dict[str, Any] | keras.constraints.Constraint | None,
    /,
    **arguments,
) -> Any:
    """A constraint of this package by its name, or what Keras' `get` makes.

    Args:
        identifier: The name of a class, in any case and with or without
            underscores; a configuration; a constraint, which passes as it is;
            or `None`, which stays `None`.
        **arguments: The arguments of the constructor, if `identifier` is a
            name.

    Returns:
        The constraint.

    Raises:
        ValueError: If there is no such class in this package; the message has
            the names that come near.

    Examples:
        >>> get("soft_threshold", threshold=0.01)
        SoftThreshold(threshold=0.01)
    """
    return get_of("constraints", identifier, arguments)

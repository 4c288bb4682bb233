from typing import Any

import keras

from keras_regopt._named import get_of


def get(
    identifier: str | dict[str, Any] | keras.optimizers.Optimizer | None,
    /,
    **arguments,
) -> Any:
    """An optimizer of this package by its name, or what Keras' `get` makes.

    Args:
        identifier: The name of a class, in any case and with or without
            underscores; a configuration; an optimizer, which passes as it is;
            or `None`, which stays `None`.
        **arguments: The arguments of the constructor, where a name is given.

    Returns:
        The optimizer.

    Raises:
        ValueError: If there is no such class in this package; the message has
            the names that come near.

    Examples:
        >>> get("radam", learning_rate=0.01, weight_decay=0.1)
        RAdam(learning_rate=0.01, weight_decay=0.1)
    """
    return get_of("optimizers", identifier, arguments)

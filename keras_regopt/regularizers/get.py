from typing import Any

import keras

from keras_regopt._named import get_of


def get(
    identifier: str | dict[str, Any] | keras.regularizers.Regularizer | None,
    /,
    **arguments,
) -> Any:
    """A regularizer of this package by its name, or what Keras' `get` makes.

    Args:
        identifier: The name of a class, in any case and with or without
            underscores; a configuration; a regularizer, which passes as it is;
            or `None`, which stays `None`.
        **arguments: The arguments of the constructor, if `identifier` is a
            name.

    Returns:
        The regularizer.

    Raises:
        ValueError: If there is no such class in this package; the message has
            the names that come near.

    Examples:
        >>> get("elastic_net", rate=0.1)
        ElasticNet(rate=0.1)
    """
    return get_of("regularizers", identifier, arguments)

"""Objects by the names of their classes."""

from typing import Any

import keras

from keras_regopt._names import did_you_mean, plain
from keras_regopt._registry import PACKAGE, registered


def get(name: str, /, **arguments) -> Any:
    """Makes an object of any class of this package by the class's name.

    A search hands out strings, as `hp.Choice` of Keras Tuner does; this makes
    what they stand for. `get` of the packages `optimizers`, `regularizers` and
    `constraints` takes names of their own classes alone, and lets finished
    objects pass, as Keras' `get` functions do.

    Args:
        name: The name of a class, such as `"AdamW"`. Case, underscores and
            hyphens do not count, so that `"adam_w"` is the same.
        **arguments: The arguments of its constructor.

    Returns:
        The object.

    Raises:
        ValueError: If no class has this name; the message has those that come
            near.

    Examples:
        >>> import keras_regopt
        >>> keras_regopt.get("elastic_net", rate=0.1)
        ElasticNet(rate=0.1)
    """
    return _class_of(name)(**arguments)


def get_of(package, identifier, arguments):
    """What `get` of a package does.

    Args:
        package: The name of the package, such as `"optimizers"`.
        identifier: The name of a class, a configuration, an object or `None`.
        arguments: The arguments for the constructor of a class.

    Returns:
        An object, or `None` for `None`.

    Raises:
        ValueError: If the package has no class of the name, or there are
            arguments for what is an object already.
    """
    if isinstance(identifier, str):
        return _class_of(identifier, package)(**arguments)
    if arguments:
        raise ValueError(
            f"keras_regopt.{package}.get takes arguments only with the name of "
            f"a class. Received: {identifier!r} and {sorted(arguments)}"
        )
    return getattr(keras, package).get(identifier)


def _class_of(name, package=None):
    function = f"keras_regopt.{package + '.' if package else ''}get"
    if not isinstance(name, str):
        raise ValueError(
            f"{function} takes the name of a class. Received: {name!r}"
        )
    wanted = plain(name.removeprefix(f"{PACKAGE}>"))
    known = {plain(cls.__name__): cls for cls in registered()}
    found = known.get(wanted)
    if found is not None and package in (None, _package_of(found)):
        return found
    if found is not None:
        hint = f"{found.__name__} is in keras_regopt.{_package_of(found)}."
    else:
        own = [c for c in known.values() if package in (None, _package_of(c))]
        hint = did_you_mean(wanted, [cls.__name__ for cls in own])
    raise ValueError(
        f"{function} knows no class {name!r}. {hint or _where(package)}"
    )


def _package_of(cls):
    return ".".join(cls.__module__.split(".")[1:2])


def _where(package):
    if package is None:
        return "`python -m keras_regopt` prints all names."
    return (
        f"The names are in keras_regopt.{package}.__all__; Keras' own classes "
        f"are made by keras.{package}.get."
    )

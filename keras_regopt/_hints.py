"""Hints in the errors about misspelt arguments."""

import functools
import inspect

from keras_regopt._names import did_you_mean


class Hinting:
    """Base of the classes whose constructors suggest the right name."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = hinting(cls.__init__)  # type: ignore[method-assign]


def hinting(init):
    """Makes a constructor name the arguments that were probably meant.

    Python and Keras refuse unknown arguments, each in words of their own. The
    error stays theirs, with a question at its end where a name comes near.
    That about too many positions names what is taken by keyword alone.

    Args:
        init: The `__init__` of a class.

    Returns:
        A function that does the same.
    """

    @functools.wraps(init)
    def __init__(self, *args, **kwargs):
        try:
            init(self, *args, **kwargs)
        except (TypeError, ValueError) as error:
            hint = _hint(type(self), kwargs, str(error))
            hint = hint or _keywords(init, args, str(error))
            if hint:
                error.args = (f"{str(error).rstrip('.')}. {hint}",)
            raise

    # Keras reads the signature without unwrapping.
    __init__.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]
    return __init__


def _hint(cls, arguments, message):
    known = _arguments(cls)
    hints = [
        did_you_mean(name, known)
        for name in arguments
        if name not in known and name in message
    ]
    hint = " ".join(filter(None, hints))
    # The constructor of a base class may have asked already.
    return "" if hint in message else hint


def _keywords(init, values, message):
    """The names to give by keyword, where too many stood by position."""
    names = [
        f"`{parameter.name}`"
        for parameter in inspect.signature(init).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    if not names or not message.startswith(f"{init.__qualname__}() takes"):
        return ""
    given = ", ".join(map(repr, values))
    return f"Give by keyword {', '.join(names)}. Received: {given}"


def _arguments(cls):
    """The names that the constructors of a class and its bases take."""
    names = []
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        signature = inspect.signature(vars(base)["__init__"])
        parameters = list(signature.parameters.values())[1:]
        names += [
            parameter.name
            for parameter in parameters
            if parameter.kind
            in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ]
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return names

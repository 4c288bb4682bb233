"""Promises, and how they are checked for a class."""

import copy
import inspect


class NotApplicable(Exception):
    """Raised by a promise that has no meaning here, with the reason."""


class Subject:
    """A class under test, with the arguments that make an object of it.

    Args:
        cls: The class.
        arguments: Dict of constructor arguments.
    """

    def __init__(self, cls, arguments=None):
        self.cls = cls
        self.arguments = arguments or {}

    @property
    def name(self):
        return self.cls.__name__

    def make(self, **changes):
        """A new object; nested objects are copied, so that none is shared."""
        return self.cls(**{**copy.deepcopy(self.arguments), **changes})

    def takes(self, argument):
        """Whether the constructor itself names an argument."""
        return argument in inspect.signature(self.cls.__init__).parameters


def require(condition, message):
    """Raises `AssertionError`, also where Python drops `assert`."""
    if not condition:
        raise AssertionError(message)


def keep(subject, promise):
    """Checks one promise of a class; raises an error if it is broken."""
    try:
        promise(subject)
    except NotApplicable:
        raise
    except Exception as error:
        raise AssertionError(
            f"{subject.name} breaks the promise `{promise.__name__}`: "
            f"{type(error).__name__}: {error}"
        ) from error


def check(subject, promises):
    """Checks the promises of a class; one error lists all that are broken."""
    broken = []
    for promise in promises:
        try:
            keep(subject, promise)
        except NotApplicable:
            continue
        except AssertionError as error:
            broken.append(error)
    if broken:
        raise AssertionError("\n".join(str(e) for e in broken)) from broken[0]

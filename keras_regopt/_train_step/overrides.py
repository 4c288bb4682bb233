"""Methods of one object that are replaced while it trains."""

import contextlib

from keras_regopt._train_step.features import ORDER


def override(owner, name, kind, wrap):
    """Replaces a method of one object, until `take_back`.

    Several kinds may replace one method. They go around each other in `ORDER`,
    and are taken back in any order.

    Args:
        owner: The object.
        name: The name of its method.
        kind: What it is replaced for, one of `ORDER`; once at a time.
        wrap: Function of the method so far that returns the new one.
    """
    method = vars(owner).get(name)
    if not isinstance(method, _Override):
        method = _Override(getattr(owner, name), method)
        set_method(owner, name, method)
    method.wraps[kind] = wrap
    method.compose()


def take_back(owner, name, kind):
    """Undoes an `override`, if there is one."""
    method = vars(owner).get(name)
    if not isinstance(method, _Override) or kind not in method.wraps:
        return
    del method.wraps[kind]
    method.compose()
    if not method.wraps:
        set_method(owner, name, method.below)


@contextlib.contextmanager
def replaced(owner, name, method):
    """Context in which an object has another method."""
    below = vars(owner).get(name)
    set_method(owner, name, method)
    try:
        yield
    finally:
        set_method(owner, name, below)


class _Override:
    """A method inside of the functions that stand around it.

    Args:
        original: The method, bound to its object.
        below: What the object had in place of its class's method, or `None`.
    """

    def __init__(self, original, below):
        self.original = original
        self.below = below
        self.wraps = {}

    def compose(self):
        self._composed = self.original
        for kind in reversed(ORDER):
            if kind in self.wraps:
                self._composed = self.wraps[kind](self._composed)

    def __call__(self, *arguments, **options):
        return self._composed(*arguments, **options)


def set_method(owner, name, method):
    """Sets or, with `None`, removes a method of one object.

    It goes past the `__setattr__` of Keras and TensorFlow, which keep track.
    """
    if method is None:
        object.__delattr__(owner, name)
    else:
        object.__setattr__(owner, name, method)

"""Methods of one object that are others for the time of a training."""

import functools


def override(owner, name, kind, wrap):
    """Replaces a method of one object, until `take_back`.

    Several may stand on top of each other, and go in any order: one that is
    taken back from below hands its calls on until those above it are gone.

    Args:
        owner: The object.
        name: The name of its method.
        kind: What the overriding is for, a string.
        wrap: Function of the method so far that returns the new one.
    """
    original = getattr(owner, name)
    replaced = wrap(original)

    @functools.wraps(original)
    def method(*arguments, **options):
        chosen = replaced if method.kind is not None else original
        return chosen(*arguments, **options)

    method.kind = kind
    method.below = vars(owner).get(name)
    # Past the `__setattr__` of Keras and TensorFlow, which keep track.
    object.__setattr__(owner, name, method)


def take_back(owner, name, kind):
    """Undoes every `override` of a kind; see there."""
    method = vars(owner).get(name)
    while method is not None:
        if getattr(method, "kind", None) == kind:
            method.kind = None
        method = getattr(method, "below", None)
    top = vars(owner).get(name)
    while hasattr(top, "kind") and top.kind is None:
        top = top.below
        if top is None:
            object.__delattr__(owner, name)
        else:
            object.__setattr__(owner, name, top)

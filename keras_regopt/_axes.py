"""Arguments that name axes of a tensor."""

from keras_regopt._validate import fail, integer


def axes(owner, argument, value, *, optional=False):
    """An axis, or several different ones.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        optional: Whether `None` passes too.

    Returns:
        The value as a Python `int`, or as a list of these.

    Raises:
        ValueError: If the value holds anything but integers, none, or one
            twice.
    """
    if value is None and optional:
        return None
    if not isinstance(value, (list, tuple)):
        return integer(owner, argument, value)
    whole = [integer(owner, argument, axis) for axis in value]
    if not whole or len(set(whole)) < len(whole):
        allowed = "an integer or a list of different ones"
        allowed += ", or None" if optional else ""
        fail(owner, argument, allowed, value)
    return whole


def axes_within(owner, argument, value, shape, first=0, what="the shape"):
    """The axes of a tensor that an argument names, counted from the front.

    Args:
        owner: The object that has the argument.
        argument: The name of the argument.
        value: An axis, or a list of axes, as `axes` returned them.
        shape: The shape of the tensor.
        first: The first axis that is allowed; 1 spares that of the batch.
            Defaults to `0`.
        what: What has this shape, for the error. Defaults to `"the shape"`.

    Returns:
        A tuple of Python integers >= 0.

    Raises:
        ValueError: If the tensor has no such axis, or one is named twice.
    """
    rank = len(shape)
    listed = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(axis % rank for axis in listed if -rank <= axis < rank)
    if len(set(found)) < len(listed) or any(axis < first for axis in found):
        kind = "an axis" if len(listed) == 1 else "different axes"
        batch = " other than the batch's" if first else ""
        fail(
            owner,
            argument,
            f"{kind}{batch} of {what} {tuple(shape)}, "
            f"{first} to {rank - 1} or {first - rank} to -1",
            value,
        )
    return found

"""Checks of constructor arguments, with one wording for every error.

Every check takes the object under construction, the argument's name and the
value received, and returns the value as a plain Python value.
"""

import math
import numbers

import keras
import numpy as np


def fail(owner, argument, allowed, value, remedy=""):
    """Raises the error that all checks raise.

    Args:
        owner: The object under construction, or the function, or a name.
        argument: The name of the argument.
        allowed: What it must be, as the end of the sentence "must be ...".
        value: The value received.
        remedy: Optional sentence that says what to do.

    Raises:
        ValueError: Always.
    """
    remedy = f" {remedy}" if remedy else ""
    raise ValueError(
        f"`{argument}` of {_name(owner)} must be {allowed}. "
        f"Received: {argument}={value!r}.{remedy}"
    )


def in_range(
    owner,
    argument,
    value,
    low=None,
    high=None,
    *,
    above=None,
    below=None,
    optional=False,
    remedy="",
):
    """A number between bounds.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        low: Smallest value that is allowed.
        high: Largest value that is allowed.
        above: Bound that the value must exceed.
        below: Bound that the value must stay under.
        optional: Whether `None` passes too.
        remedy: Optional sentence that says what to do.

    Returns:
        The value as a Python number.

    Raises:
        ValueError: If the value is no number, is not finite or out of bounds.
    """
    if value is None and optional:
        return None
    number = _plain(value)
    good = (
        isinstance(number, numbers.Real)
        and not isinstance(number, bool)
        and math.isfinite(number)
        and (low is None or number >= low)
        and (high is None or number <= high)
        and (above is None or number > above)
        and (below is None or number < below)
    )
    if not good:
        bounds = [
            f"{sign} {bound}"
            for sign, bound in (
                (">=", low),
                (">", above),
                ("<=", high),
                ("<", below),
            )
            if bound is not None
        ]
        allowed = f"a number {' and '.join(bounds)}".rstrip()
        fail(owner, argument, _or_none(allowed, optional), value, remedy)
    return number


def integer(
    owner, argument, value, low=None, high=None, *, optional=False, remedy=""
):
    """A whole number between bounds; see `in_range`.

    Returns:
        The value as a Python `int`.

    Raises:
        ValueError: If the value is no whole number or out of bounds.
    """
    if value is None and optional:
        return None
    number = _plain(value)
    good = (
        isinstance(number, numbers.Integral)
        and not isinstance(number, bool)
        and (low is None or number >= low)
        and (high is None or number <= high)
    )
    if not good:
        bounds = [
            f"{sign} {bound}"
            for sign, bound in ((">=", low), ("<=", high))
            if bound is not None
        ]
        allowed = f"an integer {' and '.join(bounds)}".rstrip()
        fail(owner, argument, _or_none(allowed, optional), value, remedy)
    return int(number)


def positive_int(owner, argument, value, **options):
    """A whole number of at least 1; see `integer`."""
    return integer(owner, argument, value, low=1, **options)


def one_of(owner, argument, value, allowed):
    """One of the values of a list.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        allowed: The values that pass.

    Returns:
        The value.

    Raises:
        ValueError: If the value is not in the list.
    """
    # By type as well, since 1 == True.
    if not any(type(value) is type(a) and value == a for a in allowed):
        names = ", ".join(repr(a) for a in allowed)
        fail(owner, argument, f"one of {names}", value)
    return value


def data_format(owner, value):
    """`"channels_last"`, `"channels_first"`, or `None` for Keras' own setting.

    Args:
        owner: The object under construction.
        value: The value of its argument `data_format`.

    Returns:
        One of the two formats.

    Raises:
        ValueError: If the value is anything else.
    """
    if value is None:
        value = keras.config.image_data_format()
    formats = ("channels_last", "channels_first")
    return one_of(owner, "data_format", value, formats)


def boolean(owner, argument, value):
    """`True` or `False`.

    Returns:
        The value as a Python `bool`.

    Raises:
        ValueError: If the value is anything else.
    """
    return one_of(owner, argument, _plain(value), (True, False))


def instance_of(owner, argument, value, types, allowed, remedy=""):
    """An object of a type.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        types: A type or a tuple of types.
        allowed: The types in words, such as `"a Keras optimizer"`.
        remedy: Optional sentence that says what to do.

    Returns:
        The value.

    Raises:
        ValueError: If the value is of another type.
    """
    if not isinstance(value, types):
        if isinstance(value, type) and issubclass(value, types):
            name = value.__name__
            remedy = f"That is the class: make an object of it, `{name}(...)`."
        fail(owner, argument, allowed, value, remedy)
    return value


def factor(owner, argument, value, low, high):
    """A number, which stands for a range around zero, or such a range.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        low: Smallest value that is allowed.
        high: Largest value that is allowed.

    Returns:
        The value as a Python number or a tuple of two.

    Raises:
        ValueError: If the value is neither, out of bounds, or reversed.
    """
    is_pair = isinstance(value, (list, tuple))
    pair = tuple(_plain(v) for v in (value if is_pair else (value,)))
    good = len(pair) == 1 + is_pair and all(
        isinstance(n, numbers.Real)
        and not isinstance(n, bool)
        and low <= n <= high
        for n in pair
    )
    if good:
        good = pair[0] <= pair[1] if is_pair else pair[0] >= 0
    if not good:
        fail(
            owner,
            argument,
            f"a number from 0 to {high}, or a pair (lowest, highest) of "
            f"numbers from {low} to {high}",
            value,
        )
    return pair if is_pair else pair[0]


def value_range(owner, value):
    """The lowest and the highest value that data can have.

    Args:
        owner: The object under construction.
        value: The value of its argument `value_range`.

    Returns:
        A tuple of two Python numbers.

    Raises:
        ValueError: If the value is no pair of finite numbers that grow.
    """
    allowed = "a pair of two growing numbers"
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        fail(owner, "value_range", allowed, value)
    low, high = (in_range(owner, "value_range", v) for v in value)
    if low >= high:
        fail(owner, "value_range", allowed, value)
    return low, high


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _or_none(allowed, optional):
    return f"{allowed}, or None" if optional else allowed


def _name(owner):
    if isinstance(owner, str):
        return owner
    if callable(owner) and hasattr(owner, "__name__"):
        return f"{owner.__name__}"
    return type(owner).__name__

"""How often something is saved: per epoch, per batches, or per time."""

import re

from keras_regopt._validate import fail

_UNITS = {"s": 1, "min": 60, "h": 3600}


def save_frequency(owner, value):
    """Checks the argument `save_freq`.

    Args:
        owner: The callback under construction.
        value: The value to check.

    Returns:
        The value.

    Raises:
        ValueError: If it is neither `"epoch"`, a number of batches nor a time.
    """
    number = isinstance(value, int) and not isinstance(value, bool)
    if number and value >= 1:
        return value
    if value == "epoch" or (isinstance(value, str) and seconds(value)):
        return value
    fail(
        owner,
        "save_freq",
        "'epoch', a number of batches >= 1, or a time such as '90s', '10min' "
        "or '1h'",
        value,
    )


def seconds(text):
    """The seconds in a text such as `"10min"`; `None` if it is no time."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h)", text)
    return float(match[1]) * _UNITS[match[2]] or None if match else None

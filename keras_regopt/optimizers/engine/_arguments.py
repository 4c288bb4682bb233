"""The arguments of every optimizer, checked."""

import numbers

import keras
import numpy as np

from keras_regopt._validate import fail, in_range

_NEVER_NEGATIVE = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")


def checked_rate(optimizer, learning_rate):
    """Turns numbers into what Keras takes; leaves schedules as they are.

    Args:
        optimizer: The optimizer under construction.
        learning_rate: The value of its argument.

    Returns:
        A Python float, a schedule or a function.

    Raises:
        ValueError: If the value is none of these, or a number below 0.
    """
    if isinstance(learning_rate, (numbers.Real, np.generic)):
        return float(in_range(optimizer, "learning_rate", learning_rate, low=0))
    if isinstance(
        learning_rate, keras.optimizers.schedules.LearningRateSchedule
    ) or callable(learning_rate):
        return learning_rate
    return fail(
        optimizer,
        "learning_rate",
        "a number >= 0, a LearningRateSchedule or a function without arguments",
        learning_rate,
    )


def checked_base_arguments(optimizer, arguments):
    """Keras' base arguments, of which some must not be negative.

    Keras would clip nothing, or let weights grow.

    Args:
        optimizer: The optimizer under construction.
        arguments: A dict.

    Returns:
        A dict.

    Raises:
        ValueError: If one of them is negative.
    """
    return {
        name: in_range(optimizer, name, value, low=0, optional=True)
        if name in _NEVER_NEGATIVE
        else value
        for name, value in arguments.items()
    }

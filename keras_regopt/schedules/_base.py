import numbers

import keras
import numpy as np
from keras import ops

from keras_regopt._config import SignatureConfig
from keras_regopt._validate import fail, in_range


class Schedule(
    SignatureConfig, keras.optimizers.schedules.LearningRateSchedule
):
    """Base of the schedules: a subclass writes `__init__` and `rate_at`.

    `rate_at` takes the step as a float32 scalar tensor, which holds every
    step below 2 ** 24 exactly, and returns the learning rate. Since the step
    is a tensor, `rate_at` chooses with `ops.where` and never with `if`.
    """

    def __call__(self, step):
        """The learning rate at a step.

        Args:
            step: The number of steps made so far: an integer, or a scalar
                tensor of any integer dtype.

        Returns:
            A float32 scalar tensor.
        """
        return ops.cast(self.rate_at(ops.cast(step, "float32")), "float32")

    def rate_at(self, step):
        raise NotImplementedError(
            f"{type(self).__name__} must write `rate_at(self, step)`."
        )


def rate_or_schedule(owner, argument, value):
    """Checks an argument that may be a number >= 0 or any schedule.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.

    Returns:
        The schedule, or the value as a Python number.

    Raises:
        ValueError: If the value is neither.
    """
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return value
    if isinstance(value, (numbers.Real, np.generic)):
        return in_range(owner, argument, value, low=0)
    return fail(
        owner, argument, "a number >= 0 or a LearningRateSchedule", value
    )


def rate_of(schedule, step):
    """The rate that a number or a schedule has at a step."""
    return schedule(step) if callable(schedule) else schedule

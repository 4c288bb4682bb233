"""The time that a schedule counts in: steps, or whole epochs."""

from keras import ops

from keras_regopt._validate import positive_int


def steps_per_epoch_or_none(owner, value):
    """Checks the argument `steps_per_epoch`; `None` means to count steps."""
    return positive_int(owner, "steps_per_epoch", value, optional=True)


def time_of(step, steps_per_epoch):
    """The number of finished epochs, or of steps without `steps_per_epoch`."""
    if steps_per_epoch is None:
        return step
    return ops.floor(step / steps_per_epoch)

"""Lists of steps at which a schedule changes from one phase to the next."""

import itertools

from keras_regopt._validate import fail, integer


def rising_steps(owner, argument, value, least=1):
    """Checks a list of rising steps.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        least: The least number of steps in the list.

    Returns:
        A list of Python integers.

    Raises:
        ValueError: If it is no list, too short, or its steps do not rise.
    """
    allowed = f"a list of at least {least} rising integers >= 0"
    if not isinstance(value, (list, tuple)) or len(value) < least:
        fail(owner, argument, allowed, value)
    steps = [integer(owner, argument, step, low=0) for step in value]
    if any(a >= b for a, b in itertools.pairwise(steps)):
        fail(owner, argument, allowed, value)
    return steps

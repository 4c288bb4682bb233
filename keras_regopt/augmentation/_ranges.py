"""Arguments that are one number, or the range that each image draws from."""

from keras_regopt._keras import data_ops as ops
from keras_regopt._validate import fail, in_range


def one_or_range(owner, argument, value, low, high, check=in_range):
    """A number between bounds, or a pair of such numbers, the lower first.

    Args:
        owner: The object under construction.
        argument: The name of the argument.
        value: The value to check.
        low: Smallest number that is allowed.
        high: Largest number that is allowed.
        check: `in_range`, or `integer` where only whole numbers are allowed.

    Returns:
        The value as a Python number or a tuple of two.

    Raises:
        ValueError: If the value is neither, out of bounds, or reversed.
    """
    if not isinstance(value, (list, tuple)):
        return check(owner, argument, value, low, high)
    if len(value) == 2:
        pair = tuple(check(owner, argument, v, low, high) for v in value)
        if pair[0] <= pair[1]:
            return pair
    return fail(
        owner,
        argument,
        f"a number from {low} to {high}, or a pair (lowest, highest) of these",
        value,
    )


def whole_number(amount, draw):
    """The whole number that an argument is, or one of its range.

    Args:
        amount: An integer, or a pair of the lowest and the highest.
        draw: Tensor of numbers from 0 to 1.

    Returns:
        A float tensor like `draw`.
    """
    low, high = amount if isinstance(amount, tuple) else (amount, amount)
    number = ops.floor(low + (high - low + 1) * draw)
    # Where the draw is so close to 1 that the sum was rounded up.
    return ops.minimum(number, float(high))

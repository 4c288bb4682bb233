"""From uniform draws to the numbers that arguments ask for."""


def between(factor, draw):
    """Numbers of the range that a factor stands for.

    Args:
        factor: A number `f`, for the range from `-f` to `f`, or a pair.
        draw: Tensor of numbers from 0 to 1.

    Returns:
        A tensor like `draw`.
    """
    low, high = factor if isinstance(factor, tuple) else (-factor, factor)
    return low + (high - low) * draw


def one_or_between(amount, draw):
    """A number itself, where there is one, or numbers of the range of a pair.

    Args:
        amount: A number or a pair.
        draw: Tensor of numbers from 0 to 1.

    Returns:
        A tensor like `draw`.
    """
    pair = amount if isinstance(amount, tuple) else (amount, amount)
    return between(pair, draw)

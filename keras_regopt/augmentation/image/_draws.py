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

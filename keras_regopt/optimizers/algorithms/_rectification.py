"""The rectification of RAdam."""

import math

from keras import ops


def rectification(beta, step, least):
    """The paper's factor on an adaptive step.

    Args:
        beta: Decay of the average of the squared gradients, a Python number in
            (0, 1).
        step: The number of the step, a float32 scalar tensor of at least 1.
        least: The length of the average, a number >= 4, up to which its
            variance counts as intractable.

    Returns:
        A float32 scalar tensor, zero while the variance is intractable and
        positive afterwards.
    """
    length = _length(beta, step)
    limit = (1 + beta) / (1 - beta)
    tractable = length > least
    # Where it is not, keeps the root's argument positive.
    length = ops.where(tractable, length, 5.0)
    root = ops.sqrt(
        (length - 4)
        * (length - 2)
        * limit
        / ((limit - 4) * (limit - 2) * length)
    )
    return ops.where(tractable, root, 0.0)


def _length(beta, step):
    """The paper's length of the approximated simple moving average.

    The paper's `2 / (1 - beta) - 1 - 2 t beta ** t / (1 - beta ** t)` loses all
    digits of a float32 in the first steps. With `h = -log(beta)` and the
    Langevin function `L(x) = coth(x) - 1 / x` it equals
    `t - t L(h t / 2) + L(h / 2)`; the series of `L` is good below 1/2.
    """
    decay = -math.log(beta)
    x = decay * step / 2
    early = step * (1 - x / 3 + x**3 / 45 - x**5 * 2 / 945 + x**7 / 4725)
    late = 2 / decay - 2 * step / ops.expm1(2 * ops.maximum(x, 0.25))
    shift = 1 / math.tanh(decay / 2) - 2 / decay
    return ops.where(x < 0.5, early, late) + shift

"""Numbers of one step that must not be rounded."""

import math

import keras
from keras import ops

from keras_regopt.optimizers.engine import _torch


def bias_correction(beta, step):
    """The sum of the weights of a moving average that started at zero.

    It is `1 - beta ** step`, of which a float32 would lose its digits in the
    first steps.

    Args:
        beta: Decay of the average, a Python number in [0, 1); a tensor while
            `MomentumCycle` cycles it.
        step: The number of terms, a float32 scalar tensor of at least 1.

    Returns:
        A float32 scalar tensor.
    """
    if beta == 0:
        return ops.ones_like(step)
    log = math.log if isinstance(beta, (int, float)) else ops.log
    return -ops.expm1(log(beta) * step)


def adam_corrections(beta_1, beta_2, epsilon, step):
    """Adam's corrections of both averages, as a factor and an epsilon.

    With these two, `factor * m / (sqrt(v) + corrected_epsilon)` is what
    `m' / (sqrt(v') + epsilon)` is with the corrected averages `m'` and `v'`,
    without a pass over the variable for each of them.

    Args:
        beta_1: Decay of the average of the gradients, a Python number.
        beta_2: Decay of the average of their squares, a Python number.
        epsilon: A Python number.
        step: The number of the step, a float32 scalar tensor of at least 1.

    Returns:
        Two float32 scalar tensors: the factor, and the epsilon.
    """
    root = ops.sqrt(bias_correction(beta_2, step))
    return root / bias_correction(beta_1, step), root * epsilon


def lerp(start, end, weight):
    """Linear interpolation, `start + (end - start) * weight`.

    So moves an average. Torch does it in one pass over the memory.

    Args:
        start: A tensor, at the weight 0.
        end: A tensor like it, at the weight 1.
        weight: A Python number or a scalar tensor.

    Returns:
        A tensor.
    """
    if keras.backend.backend() != "torch":
        if isinstance(weight, (int, float)) and weight >= 0.5:
            # As torch does, so that the weight 1 gives the end itself.
            return end - (end - start) * (1 - weight)
        return start + (end - start) * weight

    import torch

    if isinstance(weight, torch.Tensor):
        weight = weight.to(start.dtype)
    return torch.lerp(start, end, weight)


def stepped_by(start, rate, numerator, divisor=None):
    """The step of most methods, `start - rate * numerator / divisor`.

    Torch does it in one pass over the memory.

    Args:
        start: A tensor.
        rate: A Python number or a scalar tensor.
        numerator: A tensor like it.
        divisor: Another one, or `None` for none.

    Returns:
        A tensor.
    """
    if isinstance(rate, float) and keras.backend.backend() == "torch":
        import torch

        if divisor is None:
            return torch.sub(start, numerator, alpha=rate)
        return torch.addcdiv(start, numerator, divisor, value=-rate)
    move = numerator * rate
    return start - (move if divisor is None else move / divisor)


def copied(x):
    """The value of a variable, which stays when the variable changes.

    Args:
        x: A variable or tensor of numbers.

    Returns:
        A tensor.
    """
    x = ops.convert_to_tensor(x)
    if keras.backend.backend() == "torch" and _torch.is_compiling():
        # Inductor drops a mere copy, and reads what has changed meanwhile.
        return x * 1
    return ops.copy(x)

"""What `torch.compile` must be told."""

import keras


def is_compiling():
    """Whether `torch.compile` traces the step.

    It fuses a formula by itself, and has no numbers to hand to fused ones.
    """
    import torch

    return torch.compiler.is_compiling()


def uncompiled(function):
    """A function that `torch.compile` calls as it is, without looking in."""
    if keras.backend.backend() != "torch":
        return function

    import torch

    return torch.compiler.disable(function)

"""Reduced gradients and their scale, for wrappers that compute with them."""

import keras

from keras_regopt._keras import all_reduced
from keras_regopt._sparse_gradients import dense
from keras_regopt._validate import fail
from keras_regopt.optimizers.wrappers._wrapper import chain, skips, takes_steps


def loss_scale(optimizer):
    """The factor on the gradients that an optimizer gets; a number."""
    *_, innermost = chain(optimizer)
    return innermost.loss_scale_factor or 1


def refuse_accumulation(wrapper, inner):
    """Refuses an optimizer that accumulates gradients before its step.

    The wrapper would see gradients of which each is only a term of the sum.
    """
    if skips(inner):
        fail(
            wrapper,
            "inner",
            "an optimizer that makes a step in every call",
            inner,
            "Accumulate outside: "
            f"GradientAccumulation({type(wrapper).__name__}(...)).",
        )


def with_gradients(gradients, variables):
    """The indices of the variables that make a step."""
    return [
        index
        for index, (gradient, variable) in enumerate(
            zip(gradients, variables, strict=True)
        )
        if gradient is not None and takes_steps(variable)
    ]


def reduced(optimizer, gradients, variables):
    """The gradients summed over the replicas of `tf.distribute`, and dense."""
    if keras.backend.backend() == "tensorflow":
        gradients = all_reduced(optimizer, gradients, variables)
    return [dense(gradient) for gradient in gradients]

"""Keras' gradient accumulation and averages on TensorFlow, with replicas.

Keras branches on each replica, where none may talk to the others. These branch
around all of them.
"""

from keras import ops

from keras_regopt._keras import (
    accumulate,
    accumulated_gradients,
    averages_of,
    clipped,
    count_of_calls,
    decay_weights,
    index_of,
    index_or_none,
    move_averages,
    step_of_backend,
)
from keras_regopt._keras import overwrite_with_averages as overwrite
from keras_regopt.optimizers.engine._numerics import copied
from keras_regopt.optimizers.wrappers._conditional import choose, nothing


def apply_gradients(optimizer, gradients, variables):
    """What Keras' `_backend_apply_gradients` does, on any number of replicas.

    Args:
        optimizer: The optimizer.
        gradients: The gradients, complete and not clipped.
        variables: The variables that they belong to.
    """
    every = optimizer.gradient_accumulation_steps
    if every:
        _accumulate(optimizer, gradients, variables, every)
    else:
        _step(optimizer, gradients, variables)
    if optimizer.use_ema:
        known = optimizer.model_variables
        move_averages(optimizer, known)
        every = optimizer.ema_overwrite_frequency
        if every:
            # Keras' `iterations` are steps, its `_iterations` calls.
            choose(
                _is_due(optimizer.iterations, every),
                lambda: overwrite(optimizer, known),
                nothing,
                known,
            )


def update_averages(optimizer):
    """Moves the averages of all variables; all the way in the first step."""
    momentum = optimizer.ema_momentum * ops.cast(
        ops.not_equal(optimizer.iterations, 0), "float32"
    )

    averages = averages_of(optimizer)

    def update(variable):
        average = averages[index_of(optimizer, variable)]
        if average is not None:
            kept = ops.cast(momentum, variable.dtype)
            optimizer.assign(average, kept * average + (1 - kept) * variable)

    optimizer.update_each(update, optimizer.model_variables)


def overwrite_with_averages(optimizer, variables):
    """Gives variables the values of their averages.

    Args:
        optimizer: The optimizer.
        variables: The model's variables, of which it may not know all.
    """
    averages = averages_of(optimizer)

    def update(variable):
        # Keras goes by position, though some may be frozen by now.
        index = index_or_none(optimizer, variable)
        if index is not None and averages[index] is not None:
            average = ops.convert_to_tensor(averages[index])
            # A copy, since JAX does not let two variables share a buffer.
            optimizer.assign(variable, copied(average))

    optimizer.update_each(update, variables)


def _accumulate(optimizer, gradients, variables, every):
    sums = accumulated_gradients(optimizer, variables)

    def step():
        means = [
            (gradient + own) / every
            for gradient, own in zip(gradients, sums, strict=True)
        ]
        _step(optimizer, means, variables)
        optimizer.update_each(
            lambda own: optimizer.assign(own, ops.zeros(own.shape, own.dtype)),
            sums,
        )

    choose(
        _is_due(count_of_calls(optimizer), every),
        step,
        lambda: accumulate(optimizer, gradients, sums),
        variables,
    )


def _step(optimizer, gradients, variables):
    gradients = clipped(optimizer, gradients)
    decay_weights(optimizer, variables)
    step_of_backend(optimizer, gradients, variables, optimizer.learning_rate)


def _is_due(iterations, every):
    return ops.equal((iterations + 1) % every, 0)

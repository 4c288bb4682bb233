"""Keras' gradient accumulation and averages on TensorFlow, with replicas.

Keras branches on each replica, where none may talk to the others. These branch
around all of them.
"""

from keras import ops

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
        optimizer._update_model_variables_moving_average(known)
        every = optimizer.ema_overwrite_frequency
        if every:
            overwrite = optimizer._overwrite_model_variables_with_average_value
            # Keras' `iterations` are steps, its `_iterations` calls.
            choose(
                _is_due(optimizer.iterations, every),
                lambda: overwrite(known),
                nothing,
                known,
            )


def update_averages(optimizer):
    """Moves the averages of all variables; all the way in the first step."""
    momentum = optimizer.ema_momentum * ops.cast(
        ops.not_equal(optimizer.iterations, 0), "float32"
    )

    averages = optimizer._model_variables_moving_average

    def update(variable):
        average = averages[optimizer._get_variable_index(variable)]
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
    averages = optimizer._model_variables_moving_average

    def update(variable):
        # Keras goes by position, though some may be frozen by now.
        place = optimizer._trainable_variables_indices.get(
            optimizer._var_key(variable)
        )
        if place is not None and averages[place] is not None:
            average = ops.convert_to_tensor(averages[place])
            # A copy, since JAX does not let two variables share a buffer.
            optimizer.assign(variable, copied(average))

    optimizer.update_each(update, variables)


def _accumulate(optimizer, gradients, variables, every):
    collectors = [
        optimizer._accumulated_gradients[optimizer._get_variable_index(v)]
        for v in variables
    ]

    def step():
        means = [
            (gradient + collector) / every
            for gradient, collector in zip(gradients, collectors, strict=True)
        ]
        _step(optimizer, means, variables)
        optimizer.update_each(
            lambda own: optimizer.assign(own, ops.zeros(own.shape, own.dtype)),
            collectors,
        )

    choose(
        _is_due(optimizer._iterations, every),
        step,
        lambda: optimizer._backend_increment_gradient_accumulators(
            gradients, collectors
        ),
        variables,
    )


def _step(optimizer, gradients, variables):
    gradients = optimizer._clip_gradients(gradients)
    optimizer._apply_weight_decay(variables)
    optimizer._backend_update_step(
        gradients, variables, optimizer.learning_rate
    )


def _is_due(iterations, every):
    return ops.equal((iterations + 1) % every, 0)

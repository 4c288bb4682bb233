"""Which way a step goes."""

import keras

from keras_regopt._sparse_gradients import dense
from keras_regopt.optimizers.engine import _tensorflow, _torch
from keras_regopt.optimizers.engine._replicas import update_each


def make_step(optimizer, gradients, variables, learning_rate):
    """Makes the step of all variables.

    Args:
        optimizer: The optimizer.
        gradients: The gradients, complete.
        variables: The variables that they belong to.
        learning_rate: The learning rate.
    """
    backend = keras.backend.backend()
    if optimizer.runs_formula:
        if backend == "tensorflow" and _tensorflow.stands_alone(optimizer):
            _tensorflow.update(optimizer, gradients, variables, learning_rate)
            return
        if backend == "torch" and not _torch.is_compiling():
            # It imports torch, which need not be there on the others.
            from keras_regopt.optimizers.engine import _torch_blocks

            _torch_blocks.update(optimizer, gradients, variables, learning_rate)
            return
        if backend == "jax":
            gradients = [dense(g) for g in gradients]
    values = optimizer.step_values(gradients, variables, learning_rate)
    update_each(
        optimizer,
        optimizer.step_of_variable,
        variables,
        gradients,
        shared=(learning_rate, values),
    )

"""Sums over each variable that are needed before any of them moves."""

import keras
from keras import ops

from keras_regopt._keras import in_stateless_scope, index_of
from keras_regopt.optimizers.engine import (
    _tensorflow,
    _tensorflow_totals,
    _torch,
)
from keras_regopt.optimizers.engine._formula import totals_of


def totals(optimizer, terms, gradients, variables, values=None):
    """The sums of some terms over the entries of each variable.

    For `step_values`. The terms are computed as a formula is, with small
    variables together and in few passes over the memory.

    Args:
        optimizer: The optimizer, with `in_rows`.
        terms: Function of `(variable, gradient, slots, step)`, all prepared as
            for the formula, that returns a list of tensors like the gradient.
            Of the step, the rate is not known.
        gradients: The gradients.
        variables: The variables that they belong to.
        values: What comes to the terms as `step.values`.

    Returns:
        A list of float32 vectors, one for each term, with one entry for each of
        the model's variables; zero for those without a gradient.
    """
    backend = keras.backend.backend()
    if (
        backend == "torch"
        and not _torch.is_compiling()
        and not in_stateless_scope()
    ):
        from keras_regopt.optimizers.engine import _torch_blocks

        return _torch_blocks.totals(
            optimizer, terms, gradients, variables, values
        )
    if backend == "tensorflow" and _tensorflow.stands_alone(optimizer):
        indices, columns = _tensorflow_totals.totals(
            optimizer, terms, gradients, variables, values
        )
    else:
        indices = [index_of(optimizer, v) for v in variables]
        columns = zip(
            *(
                totals_of(optimizer, terms, gradient, variable, values)
                for gradient, variable in zip(gradients, variables, strict=True)
            ),
            strict=True,
        )
        columns = [ops.stack(column) for column in columns]
    # Behind them, a zero for all that have no gradient.
    positions = [len(indices)] * len(optimizer.model_variables)
    for position, index in enumerate(indices):
        positions[index] = position
    return [
        ops.take(ops.concatenate([c, ops.zeros(1, c.dtype)]), positions)
        for c in columns
    ]

"""How the formula of an optimizer is run on one tensor."""

import keras
from keras import ops

from keras_regopt._keras import index_of
from keras_regopt._precision import at_least_float32
from keras_regopt._sparse_gradients import is_sparse
from keras_regopt._sums import total
from keras_regopt.optimizers.engine import _embedding_rows
from keras_regopt.optimizers.engine._norms import norm
from keras_regopt.optimizers.engine._step import Step, widened


def update(optimizer, gradient, variable, learning_rate, values, norms):
    """Makes the step of one variable and assigns it.

    Args:
        optimizer: The optimizer.
        gradient: The gradient, a tensor or a `tf.IndexedSlices`.
        variable: The variable.
        learning_rate: Its learning rate.
        values: What `step_values` returned.
        norms: What `norms` returned, or `None` to compute it here.
    """
    index = index_of(optimizer, variable)
    slots = optimizer.slots.of(index)
    decay = 0.0 if optimizer.decays_before else optimizer.decay_of(variable)
    step = Step(index, learning_rate, decay, values)
    if is_sparse(gradient):
        _embedding_rows.update(
            optimizer, gradient, variable, slots, step, stepped
        )
        return
    value = ops.convert_to_tensor(variable)
    gradient = ops.convert_to_tensor(gradient)
    if norms is None:
        norms = optimizer.norms(index, value, gradient, norm)
    step.norms = norms
    states = [None if s is None else ops.convert_to_tensor(s) for s in slots]
    value, states = stepped(optimizer, value, gradient, states, step)
    for slot, state in zip(slots, states, strict=True):
        if slot is not None:
            optimizer.assign(slot, state)
    optimizer.assign(variable, value)


def stepped(optimizer, variable, gradient, slots, step):
    """One step with all that belongs to it, as a function of tensors.

    Args:
        optimizer: The optimizer.
        variable: The value of the variable.
        gradient: Its gradient.
        slots: Its state, with `None` for what it does not have.
        step: A `Step`, in any dtype.

    Returns:
        The new value and the list of the new state, in their own dtypes.
    """
    dtype = keras.backend.standardize_dtype(variable.dtype)
    value, states = advanced(
        optimizer, variable, gradient, slots, widened(step, dtype)
    )
    if dtype == at_least_float32(dtype):
        return value, states
    return ops.cast(value, dtype), [
        None if s is None else ops.cast(s, dtype) for s in states
    ]


def advanced(optimizer, variable, gradient, slots, step):
    """As `stepped`, from a `Step` and to results in the dtype of computing."""
    return optimizer.formula(
        *prepared(optimizer, variable, gradient, slots, step), step
    )


def prepared(optimizer, variable, gradient, slots, step):
    """What the formula takes: variable, gradient and slots, in its dtype."""
    given = variable.dtype
    dtype = at_least_float32(given)
    is_wide = keras.backend.standardize_dtype(given) == dtype

    def wide(x):
        if x is None or (is_wide and x.dtype == given):
            return x
        return ops.cast(x, dtype)

    variable, gradient = optimizer.prepared(
        wide(variable), wide(gradient), step
    )
    return variable, gradient, [wide(slot) for slot in slots]


def totals_of(optimizer, terms, gradient, variable, values):
    """The sums for one variable, a list of float32 scalar tensors."""
    index = index_of(optimizer, variable)
    slots = [
        None if s is None else ops.convert_to_tensor(s)
        for s in optimizer.slots.of(index)
    ]
    step = Step(index, 0.0, optimizer.decay_of(variable), values)
    step = widened(step, variable.dtype)
    value = ops.convert_to_tensor(variable)
    gradient = ops.convert_to_tensor(gradient)
    found = terms(*prepared(optimizer, value, gradient, slots, step), step)
    return [ops.cast(total(x), "float32") for x in found]

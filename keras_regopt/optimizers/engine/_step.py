"""What the formula of an optimizer is told, in the dtype it computes in."""

import dataclasses

import keras
from keras import ops

from keras_regopt._precision import at_least_float32
from keras_regopt.optimizers.engine._norms import norm


@dataclasses.dataclass
class Step:
    """What a formula is told besides the tensors.

    Args:
        index: The index of the variable among those of the model; of the first
            one where several lie together.
        rate: The learning rate, a scalar tensor of the formula's dtype; a
            Python number where torch computes on the CPU.
        decay: The weight decay, a Python number.
        values: What `step_values` returned (a tensor, a tuple or dict of them
            or `None`), in the formula's dtype; scalars like the rate.
        norm: The function of a tensor that gives its Euclidean norm; where
            several variables lie together, a column with the norm of each row.
        norms: What the optimizer's `norms` returned.
        indices: Those of all variables where several lie together as rows,
            else `None`.
    """

    index: int
    rate: object
    decay: float
    values: object
    norm: object = norm
    norms: tuple = ()
    indices: list | None = None

    def own(self, vector):
        """What belongs to the variable in a tensor with one entry for each.

        Needs `in_rows`, so that there is one entry a row.

        Args:
            vector: A tensor with as many entries as the model has variables.

        Returns:
            A scalar tensor; where several lie together, a column.
        """
        if self.indices is None:
            return vector[self.index]
        return ops.take(vector, self.indices)[:, None]


def widened(step, dtype):
    """A step for a formula that computes on variables of a dtype.

    Half precision is computed in single precision, in which the powers of the
    betas do not vanish.

    Args:
        step: A `Step`, in any dtype.
        dtype: The dtype of the variables.

    Returns:
        A `Step`.
    """
    computed = at_least_float32(dtype)

    def wide(x):
        if not hasattr(x, "dtype"):
            return x
        own = keras.backend.standardize_dtype(x.dtype)
        # A cast that changes nothing takes its time on torch.
        if own == computed or "float" not in own:
            return x
        return ops.cast(x, computed)

    return dataclasses.replace(
        step,
        rate=wide(step.rate),
        values=keras.tree.map_structure(wide, step.values),
        norms=[wide(length) for length in step.norms],
    )

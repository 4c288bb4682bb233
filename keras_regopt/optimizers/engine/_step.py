"""What the formula of an optimizer is told."""

import dataclasses

from keras_regopt.optimizers.engine._norms import norm


@dataclasses.dataclass
class Step:
    """What a formula is told beside the tensors.

    Args:
        index: The place of the variable among those of the model; of the first
            one where several lie together.
        rate: The learning rate, a scalar tensor of the formula's dtype.
        decay: The weight decay, a Python number.
        values: What `step_values` returned (a tensor, a tuple of them or
            `None`), in the formula's dtype.
        norm: The function of a tensor that gives its Euclidean norm; where
            several variables lie together, a column with the norm of each row.
        lengths: What the optimizer's `lengths` returned.
    """

    index: int
    rate: object
    decay: float
    values: object
    norm: object = norm
    lengths: tuple = ()

"""Euclidean norms, in single precision whatever the tensors are."""

import math
import os

from keras import ops

from keras_regopt._precision import at_least_float32, at_least_single
from keras_regopt._sparse_gradients import is_sparse
from keras_regopt._sums import row_totals, total_of_squares
from keras_regopt.optimizers.engine._in_place import on_one_cpu


def sum_of_squares(x):
    """The sum of the squares of all entries.

    Args:
        x: A tensor.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    # Of an `IndexedSlices`, in which every row must appear once.
    x = at_least_single(x.values if is_sparse(x) else x)
    return total_of_squares(x)


def norm(x):
    """The Euclidean norm of all entries; see `sum_of_squares`."""
    return ops.sqrt(sum_of_squares(x))


def row_norms(x):
    """The Euclidean norm of each row of a TensorFlow matrix, as a column."""
    return ops.sqrt(row_totals(ops.square(at_least_single(x))))[:, None]


def global_norm(tensors):
    """The Euclidean norm of several tensors as if they were one.

    Args:
        tensors: A list of tensors, at least one.

    Returns:
        A float32 scalar tensor (float64 for float64).
    """
    return ops.sqrt(sum(sum_of_squares(x) for x in tensors))


# Numbers of a block for each core: its temporary results stay in the cache, and
# starting its operations takes no time compared with them.
_BLOCK = 2**15
# From this size on, blocks pay.
_LARGE = 2**18


def pays_in_blocks(x):
    """Whether `norms_in_blocks` is the faster way to the norm of a result.

    XLA keeps what it sums on a CPU, and new memory for as many numbers as a
    large weight has takes longer to get than to fill.
    """
    return math.prod(x.shape) >= _LARGE and on_one_cpu()


def norms_in_blocks(function, first, *others):
    """The norms of a tensor and of a result that is never held as a whole.

    Args:
        function: Gives, for `first` and `others` or equal parts of them, an
            entry for each of theirs.
        first: A large tensor of JAX.
        *others: More of its shape.

    Returns:
        The Euclidean norms of `first` and of `function(first, *others)`.
    """
    import jax

    flat = [ops.reshape(x, (-1,)) for x in (first, *others)]
    size = min(_BLOCK * (os.cpu_count() or 1), _LARGE)
    blocks = flat[0].shape[0] // size

    def add(i, sums):
        parts = [jax.lax.dynamic_slice(x, (i * size,), (size,)) for x in flat]
        # A sum for each entry of a block: XLA adds these with vectors, and
        # would take the sum of a block one number after the other.
        return sums + ops.square(at_least_single(function(*parts)))

    sums = jax.lax.fori_loop(
        0, blocks, add, ops.zeros(size, at_least_float32(first.dtype))
    )
    rest = function(*(x[blocks * size :] for x in flat))
    return norm(first), ops.sqrt(ops.sum(sums) + sum_of_squares(rest))

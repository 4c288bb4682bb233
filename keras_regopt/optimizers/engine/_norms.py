"""Euclidean norms, in single precision whatever the tensors are."""

import math

import keras
from keras import ops

from keras_regopt._precision import at_least_single
from keras_regopt._sparse_gradients import is_sparse
from keras_regopt._sums import row_totals, total_of_squares


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


# Numbers of a block: its temporary results stay in the cache of a core, and
# starting its operations takes no time beside them.
_BLOCK = 2**17


def pays_in_blocks(x):
    """Whether `norms_in_blocks` is the faster way to the norm of a result.

    XLA keeps what it sums on a CPU, and new memory for as many numbers as a
    large weight has takes longer to get than to fill.
    """
    if keras.backend.backend() != "jax" or math.prod(x.shape) < 2 * _BLOCK:
        return False
    import jax

    # A slice of an array that is spread over devices would gather it.
    spread = keras.distribution.distribution() is not None
    return jax.default_backend() == "cpu" and not spread


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
    blocks = flat[0].shape[0] // _BLOCK

    def totals(parts):
        return sum_of_squares(parts[0]), sum_of_squares(function(*parts))

    def add(i, sums):
        parts = [
            jax.lax.dynamic_slice(x, (i * _BLOCK,), (_BLOCK,)) for x in flat
        ]
        return tuple(a + b for a, b in zip(sums, totals(parts), strict=True))

    sums = jax.lax.fori_loop(
        0, blocks, add, totals([x[blocks * _BLOCK :] for x in flat])
    )
    return [ops.sqrt(each) for each in sums]

"""Short pieces of signals, cut out by hand."""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph

# How many hops a window holds.
HOPS = 4

# Long enough to tell the harmonics of a voice apart, short enough for its
# syllables.
WINDOW_SECONDS = 0.048


def hop_size(sample_rate):
    """How many samples apart windows are.

    Args:
        sample_rate: Samples a second.

    Returns:
        An integer whose prime factors are 2, 3 and 5; a window is `HOPS`
        times as long.
    """
    wanted = sample_rate * WINDOW_SECONDS / HOPS
    return fast_size(max(1, round(wanted)))


def fast_size(size):
    """The smallest size of at least this that is fast for an FFT.

    Args:
        size: A positive integer.

    Returns:
        An integer whose prime factors are 2, 3 and 5.
    """
    while not _is_smooth(size):
        size += 1
    return size


def hann(size):
    """The periodic Hann window, whose squares at `HOPS` hops sum to 1.5."""
    angles = 2 * np.pi * np.arange(size) / size
    return (0.5 - 0.5 * np.cos(angles)).astype("float32")


def pieces_at(signals, starts, size):
    """Pieces of signals.

    Args:
        signals: Tensor of shape `(rows, samples)`.
        starts: Integer tensor of shape `(pieces, rows)`: the sample at which
            a piece starts. Pieces lie within their signal.
        size: How many samples a piece has.

    Returns:
        A tensor of shape `(pieces, rows, size)`.
    """
    if in_foreign_tf_graph() or keras.backend.backend() == "tensorflow":
        return _pieces_by_index(signals, starts, size)
    if keras.backend.backend() == "jax":
        return _pieces_by_jax(signals, starts, size)
    rows = ops.arange(signals.shape[0], dtype="int32")
    return signals.unfold(1, size, 1)[rows, starts]


def _is_smooth(size):
    for prime in (2, 3, 5):
        while size % prime == 0:
            size //= prime
    return size == 1


def _pieces_by_index(signals, starts, size):
    samples = signals.shape[1]
    rows = ops.arange(ops.shape(signals)[0], dtype="int32") * samples
    index = (starts + rows)[..., None] + ops.arange(size, dtype="int32")
    return ops.take(ops.reshape(signals, (-1,)), index, axis=0)


def _pieces_by_jax(signals, starts, size):
    """Whole slices, which XLA copies instead of reading sample by sample."""
    import jax

    def piece(signal, start):
        return jax.lax.dynamic_slice(signal, (start,), (size,))

    of_one = jax.vmap(piece, in_axes=(None, 0))
    return jax.vmap(of_one, in_axes=(0, 1), out_axes=1)(signals, starts)

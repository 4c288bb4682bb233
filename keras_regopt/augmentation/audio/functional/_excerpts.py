"""Parts of recordings that lie one behind the other in one long array."""

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_tf_graph, is_in_jax_tracing_scope
from keras_regopt.augmentation._gather import rows_at


def constant(array):
    """An array as a tensor, which graphs refer to and do not copy."""
    if in_tf_graph() and not is_in_jax_tracing_scope():
        import tensorflow as tf

        with tf.init_scope():
            return tf.constant(array)
    return ops.convert_to_tensor(array)


def index_of(draw, count):
    """Which of `count` things a number from 0 to 1 stands for."""
    return ops.minimum(
        ops.cast(ops.floor(draw * ops.cast(count, "float32")), "int32"),
        count - 1,
    )


def excerpts(recordings, which, draw, lengths, time):
    """A stretch of a recording for each clip.

    A recording that is too short for the valid samples is repeated.

    Args:
        recordings: A `Recordings`.
        which: Int32 tensor of shape `(batch,)`, the numbers of recordings.
        draw: Float32 tensor of shape `(batch,)`, from 0 to 1: where in the
            recording to begin.
        lengths: Int32 tensor of shape `(batch,)`, the valid samples.
        time: The number of samples, an integer or a scalar tensor.

    Returns:
        Float32 tensor of shape `(batch, time)`.
    """
    starts = ops.take(constant(recordings.starts), which)
    sizes = ops.take(constant(recordings.sizes), which)
    # One that is long enough need not be wrapped round.
    spare = sizes - lengths
    first = index_of(draw, ops.where(spare >= 0, spare + 1, sizes))
    index = first[:, None] + ops.arange(time, dtype="int32")[None, :]
    index = starts[:, None] + index % sizes[:, None]
    return rows_at(constant(recordings.samples), index)


def placed(recordings, which, positions, time):
    """One whole recording in each clip, and silence around it.

    Args:
        recordings: A `Recordings`.
        which: Int32 tensor of shape `(batch,)`, the numbers of recordings.
        positions: Int32 tensor of shape `(batch,)`: where they begin.
        time: The number of samples, an integer or a scalar tensor.

    Returns:
        Float32 tensor of shape `(batch, time)`.
    """
    starts = ops.take(constant(recordings.starts), which)[:, None]
    last = ops.take(constant(recordings.sizes), which)[:, None] - 1
    index = ops.arange(time, dtype="int32")[None, :] - positions[:, None]
    inside = ops.logical_and(index >= 0, index <= last)
    index = starts + ops.clip(index, 0, last)
    samples = rows_at(constant(recordings.samples), index)
    return ops.where(inside, samples, 0.0)


def padded(recordings):
    """All recordings as an array of one row each, filled up with zeros."""
    rows = np.zeros((len(recordings), int(recordings.sizes.max())), "float32")
    for row, samples in zip(rows, recordings, strict=True):
        row[: len(samples)] = samples
    return rows

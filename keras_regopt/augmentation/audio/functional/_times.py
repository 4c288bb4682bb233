"""Reading a batch at other times than those it was written at."""

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._gather import rows_at


def times_of(values):
    """The numbers of the times of a batch, int32 of shape `(1, time)`."""
    return ops.arange(ops.shape(values)[1], dtype="int32")[None]


def at_times(values, index):
    """What stands at times that are known to be within the batch.

    Args:
        values: Tensor of shape `(batch, time, channels)`.
        index: Int32 tensor of shape `(batch, count)` of numbers from 0 to
            `time - 1`.

    Returns:
        A tensor of shape `(batch, count, channels)`.
    """
    batch, time, channels = ops.shape(values)
    rows = ops.reshape(values, (-1, channels))
    first = ops.arange(batch, dtype="int32")[:, None] * time
    return rows_at(rows, index + first)


def between_times(values, position):
    """What stands at times between those of the batch, on straight lines.

    Args:
        values: Float tensor of shape `(batch, time, channels)`.
        position: Float32 tensor of shape `(batch, count)`. Beyond the ends,
            the first and the last of the values go on.

    Returns:
        A tensor of shape `(batch, count, channels)`.
    """
    last = ops.shape(values)[1] - 1
    position = ops.clip(position, 0.0, ops.cast(last, "float32"))
    low = ops.floor(position)
    fraction = ops.cast(position - low, values.dtype)[..., None]
    low = ops.cast(low, "int32")
    high = ops.minimum(low + 1, last)
    below, above = at_times(values, low), at_times(values, high)
    return below + fraction * (above - below)


def shifted(values, steps, lengths, wraps):
    """Values that come later, within the part of them that is valid.

    Args:
        values: Tensor of shape `(batch, time, channels)`.
        steps: Int32 tensor of shape `(batch,)`, from `-lengths` to
            `lengths`: how much later.
        lengths: Int32 tensor of shape `(batch,)`.
        wraps: Whether what leaves at one end enters at the other; otherwise
            zeros do.

    Returns:
        A tensor like `values`, and from where in it each valid time was read,
        int32 of shape `(batch, time)`. Without `wraps`, that may lie beyond
        the ends.
    """
    time, length = times_of(values), lengths[:, None]
    source = time - steps[:, None]
    if wraps:
        source = ops.where(source < 0, source + length, source)
        source = ops.where(source >= length, source - length, source)
    is_valid = time < length
    is_inside = ops.logical_and(source >= 0, source < length)
    index = ops.where(ops.logical_and(is_valid, is_inside), source, time)
    moved = at_times(values, index)
    if not wraps:
        is_empty = ops.logical_and(is_valid, ops.logical_not(is_inside))
        moved = ops.where(is_empty[..., None], 0.0, moved)
    return moved, source


def cut(values, start, lengths, size, repeats):
    """A piece of each clip, of one size.

    Args:
        values: Tensor of shape `(batch, time, channels)`.
        start: Int32 tensor of shape `(batch,)`, where the pieces begin.
        lengths: Int32 tensor of shape `(batch,)`, what is valid.
        size: How long the pieces are, an integer.
        repeats: Whether clips that are too short begin again; otherwise zeros
            follow them.

    Returns:
        A tensor of shape `(batch, size, channels)`.
    """
    index = start[:, None] + ops.arange(size, dtype="int32")[None]
    length = ops.maximum(lengths, 1)[:, None]
    inside = index < lengths[:, None]
    if repeats:
        return at_times(values, ops.mod(index, length))
    piece = at_times(values, ops.minimum(index, length - 1))
    return ops.where(inside[..., None], piece, 0.0)


def fades(distance, samples):
    """The amplitude at a distance from an end: half a wave, from 0 to 1.

    Args:
        distance: Float32 tensor, in samples. Below 0 it is beyond the end.
        samples: How long the fade is: a number, or a tensor that broadcasts
            to the distance.

    Returns:
        A tensor like `distance`.
    """
    share = ops.clip(distance / samples, 0.0, 1.0)
    return 0.5 - 0.5 * ops.cos(math.pi * share)


def ends_faded(values, source, lengths, samples):
    """Values that fade out to and in from the ends that they were read from.

    Args:
        values: Tensor of shape `(batch, time, channels)`.
        source: From where each was read, int32 of shape `(batch, time)`.
        lengths: Int32 tensor of shape `(batch,)`: where the ends are.
        samples: How long the fade is, a number above 0.

    Returns:
        A tensor like `values`.
    """
    time = ops.cast(source, "float32") + 0.5
    left = ops.cast(lengths, "float32")[:, None] - time
    gain = fades(ops.minimum(time, left), samples)
    return values * ops.cast(gain, values.dtype)[..., None]

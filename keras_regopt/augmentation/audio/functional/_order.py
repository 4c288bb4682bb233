"""Samples and channels in another order."""

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._gather import rows_at


def reverse(waves, lengths):
    """Waveforms backwards, as far as they are valid.

    Args:
        waves: Tensor of shape `(batch, time, channels)`.
        lengths: Int32 tensor of shape `(batch,)`.

    Returns:
        A tensor like `waves`.
    """
    batch, time, channels = ops.shape(waves)
    index = ops.arange(time, dtype="int32")[None, :]
    lengths = lengths[:, None]
    index = ops.where(index < lengths, lengths - 1 - index, index)
    return _read(waves, index, batch, time, channels)


def permute_channels(waves, order):
    """Waveforms with their channels in another order.

    Args:
        waves: Tensor of shape `(batch, time, channels)`.
        order: Int32 tensor of shape `(batch, channels)`: where each channel
            is read.

    Returns:
        A tensor like `waves`.
    """
    batch, time, channels = ops.shape(waves)
    rows = ops.transpose(waves, (0, 2, 1))
    rows = _read(rows, ops.cast(order, "int32"), batch, channels, time)
    return ops.transpose(rows, (0, 2, 1))


def _read(rows, index, batch, count, size):
    """Rows of each element at its own indices."""
    first = ops.arange(batch, dtype="int32")[:, None] * count
    flat = ops.reshape(rows, (batch * count, size))
    return ops.reshape(rows_at(flat, first + index), (batch, -1, size))

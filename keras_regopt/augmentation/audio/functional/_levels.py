"""Levels of waveforms, measured over their valid samples.

Waveforms are float32 tensors of shape `(batch, time, channels)`, lengths are
int32 tensors of shape `(batch,)`.
"""

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation import _lengths

# A power that nobody hears, in whose place nothing is divided.
TINY = 1e-20


def per_clip(values):
    """Values of shape `(batch,)` with axes for time and channels."""
    return ops.reshape(values, (-1, 1, 1))


def amplitude(decibels):
    """The factor that changes a level by some decibels."""
    return ops.exp(decibels * (math.log(10) / 20))


def within(lengths, time):
    """Which samples are valid: a boolean tensor `(batch, time, 1)`."""
    return ops.expand_dims(_lengths.within(lengths, time), axis=-1)


def mean_square(waves, lengths):
    """The power of each clip, over its valid samples and all channels."""
    valid = within(lengths, ops.shape(waves)[1])
    return _power(ops.where(valid, waves, 0.0), lengths)


def peak(waves, lengths):
    """The largest magnitude of each clip, among its valid samples."""
    sizes = ops.where(within(lengths, ops.shape(waves)[1]), ops.abs(waves), 0.0)
    return ops.max(sizes, axis=(1, 2))


def ratio_or_one(above, below):
    """A quotient of two sizes, and 1 where there is nothing to divide by."""
    silent = below <= TINY
    return ops.where(silent, 1.0, above / ops.where(silent, 1.0, below))


def add_at_snr(waves, noise, snr, lengths):
    """Waveforms with noise whose power is some decibels below theirs.

    Args:
        waves: The waveforms.
        noise: A tensor that broadcasts to them.
        snr: Float32 tensor of shape `(batch,)`, in decibels.
        lengths: The valid samples. The others stay as they are.

    Returns:
        A tensor like `waves`. Silence stays silence.
    """
    power = mean_square(waves, lengths) * amplitude(-2.0 * snr)
    return add_with_power(waves, noise, power, lengths)


def add_with_power(waves, noise, power, lengths):
    """Waveforms with noise that is scaled to a power, of shape `(batch,)`."""
    valid = within(lengths, ops.shape(waves)[1])
    noise = ops.where(valid, noise, 0.0)
    own = _power(noise, lengths)
    silent = own <= TINY
    gain = ops.sqrt(power / ops.where(silent, 1.0, own))
    return waves + per_clip(ops.where(silent, 0.0, gain)) * noise


def _power(waves, lengths):
    """The power of each clip that is zero where it is not valid."""
    count = ops.maximum(lengths, 1) * ops.shape(waves)[2]
    return ops.sum(waves * waves, axis=(1, 2)) / ops.cast(count, "float32")

"""Clipping, saturation and quantization of waveforms."""

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._levels import (
    mean_square,
    peak,
    per_clip,
    ratio_or_one,
    within,
)

# Halvings of the interval that holds a threshold: down to -96 dB.
HALVINGS = 16


def clipping_threshold(waves, share, lengths):
    """The magnitude that a share of the samples exceeds.

    Args:
        waves: Float32 tensor of shape `(batch, time, channels)`.
        share: Float32 tensor of shape `(batch,)`, from 0 to 1: of the samples
            that are valid and not zero.
        lengths: Int32 tensor of shape `(batch,)`.

    Returns:
        Float32 tensor of shape `(batch,)`, at most the peak.
    """
    valid = within(lengths, ops.shape(waves)[1])
    sizes = ops.where(valid, ops.abs(waves), 0.0)
    highest = ops.max(sizes, axis=(1, 2))
    allowed = share * _count_above(sizes, ops.zeros_like(highest))
    # To halve an interval takes a tenth of the time that sorting takes.
    low, high = ops.zeros_like(highest), highest
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        too_many = _count_above(sizes, middle) > allowed
        low = ops.where(too_many, middle, low)
        high = ops.where(too_many, high, middle)
    return ops.where(allowed > 0, high, highest)


def clip(waves, threshold):
    """Waveforms cut off at a magnitude, of shape `(batch,)`."""
    threshold = per_clip(threshold)
    return ops.clip(waves, -threshold, threshold)


def saturate(waves, drive, lengths):
    """Waveforms through a hyperbolic tangent, as loud as before.

    Args:
        waves: Float32 tensor of shape `(batch, time, channels)`.
        drive: Float32 tensor of shape `(batch,)`: the peak that reaches the
            tangent.
        lengths: Int32 tensor of shape `(batch,)`.

    Returns:
        A tensor like `waves`.
    """
    gain = drive * ratio_or_one(1.0, peak(waves, lengths))
    result = ops.tanh(per_clip(gain) * waves)
    power = mean_square(waves, lengths), mean_square(result, lengths)
    return result * per_clip(ops.sqrt(ratio_or_one(*power)))


def quantize(waves, levels):
    """Waveforms rounded to steps, zero among them.

    Args:
        waves: Float32 tensor of values, those beyond -1 and 1 are cut off.
        levels: Float32 tensor of shape `(batch,)`: steps from 0 to 1.

    Returns:
        A tensor like `waves`.
    """
    levels = per_clip(levels)
    return ops.round(ops.clip(waves, -1.0, 1.0) * levels) / levels


def mu_law(waves, mu):
    """Waveforms with the steps near zero spread, those far off narrowed."""
    mu = per_clip(mu)
    size = ops.minimum(ops.abs(waves), 1.0)
    return ops.sign(waves) * ops.log1p(mu * size) / ops.log1p(mu)


def mu_law_undone(values, mu):
    """The waveforms of which `mu_law` made some values."""
    mu = per_clip(mu)
    size = ops.expm1(ops.abs(values) * ops.log1p(mu)) / mu
    return ops.sign(values) * size


def _count_above(sizes, threshold):
    above = ops.cast(sizes > per_clip(threshold), "float32")
    return ops.sum(above, axis=(1, 2))

"""Spectrograms whose times or frequencies are warped, on straight lines."""

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._times import between_times


def time_warped(values, center, shift, lengths):
    """Spectrograms of which one frame moves, and the others with it.

    Args:
        values: Float tensor of shape `(batch, time, bins)`.
        center: Float32 tensor of shape `(batch,)`: which time moves, as a
            share of the length.
        shift: Another such: how far it moves.
        lengths: Tensor of shape `(batch,)`. The first and the last frame stay
            where they are, and so does what is behind them.

    Returns:
        A tensor like `values`.
    """
    count = ops.shape(values)[1]
    time = ops.arange(count, dtype="float32")[None]
    last = ops.cast(lengths, "float32")[:, None] - 1
    before = center[:, None] * last
    after = (center + shift)[:, None] * last
    # Within a frame of an end, there are no others to be spread out.
    early = time * before / ops.maximum(after, 1.0)
    pace = (last - before) / ops.maximum(last - after, 1.0)
    source = ops.where(time < after, early, last - (last - time) * pace)
    return between_times(values, ops.where(time > last, time, source))


def frequency_warped(values, factor, scale, boundary):
    """Spectrograms as of voices whose vocal tract has another length.

    Args:
        values: Float tensor of shape `(batch, time, bins)`.
        factor: Float32 tensor of shape `(batch,)`: by what frequencies are
            multiplied.
        scale: What `linear_scale` or `mel_scale` returned.
        boundary: Up to which share of the highest frequency.

    Returns:
        A tensor like `values`.
    """
    frequencies, bins_of, top = scale
    source = _unwarped(frequencies[None], factor[:, None], boundary * top, top)
    swapped = ops.transpose(values, (0, 2, 1))
    return ops.transpose(between_times(swapped, bins_of(source)), (0, 2, 1))


def linear_scale(bins):
    """The frequencies of bins at even steps from 0 to the highest, 1."""
    steps = max(bins - 1, 1)
    frequencies = (np.arange(bins) / steps).astype("float32")
    return frequencies, lambda x: x * steps, 1.0


def mel_scale(bins, lowest, highest):
    """The frequencies of the bins of a mel spectrogram.

    Args:
        bins: How many there are.
        lowest: Where the first bin begins, in hertz.
        highest: Where the last one ends.

    Returns:
        The frequencies of their centers, an array; a function from
        frequencies to positions among the bins; and the highest frequency.
    """
    low, high = np.log1p(np.array([lowest, highest]) / 700)
    step = (high - low) / (bins + 1)
    centers = low + step * np.arange(1, bins + 1)
    frequencies = (700 * np.expm1(centers)).astype("float32")

    def bins_of(frequencies):
        # Float32 tensors do not take the doubles of NumPy on every backend.
        return (ops.log1p(frequencies / 700) - float(low)) / float(step) - 1

    return frequencies, bins_of, float(highest)


def _unwarped(frequency, factor, boundary, top):
    """Which frequency is moved to this one.

    Up to the boundary frequencies are multiplied by the factor; from there a
    line leads to the highest one, which stays.
    """
    frequency = ops.convert_to_tensor(frequency)
    turn = boundary * ops.minimum(factor, 1.0)
    pace = (top - turn / factor) / (top - turn)
    above = top - (top - frequency) * pace
    return ops.where(frequency <= turn, frequency / factor, above)

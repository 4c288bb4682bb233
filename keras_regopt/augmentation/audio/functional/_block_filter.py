"""Filters of signals by their spectra, which are pairs of real tensors."""

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._frames import fast_size

# Share of the band in which a low-pass goes from all to nothing.
SLOPE = 0.02

# Silence between the end of a signal and its beginning, which meet in an FFT,
# for what rings on.
GAP = 256


def filtered(signals, weights, finer=1, ahead=0):
    """Multiplies the spectra of signals.

    Args:
        signals: Tensor of shape `(rows, samples)` and dtype float32.
        weights: Function of the number of bins, from 0 to half the sample
            rate, that returns a tensor of shape `(rows, bins)`.
        finer: How many samples of the output there are for one of the input.
            Defaults to `1`.
        ahead: How many samples before the first are wanted too. Defaults to
            `0`.

    Returns:
        A tensor of shape `(rows, ahead + finer * samples)`.
    """
    samples = signals.shape[1]
    size = 2 * fast_size((samples + GAP + 1) // 2)
    padded = ops.pad(signals, [[0, 0], [0, size - samples]])
    spectrum = ops.rfft(padded, fft_length=size)
    keep = weights(size // 2 + 1)
    spectrum = widened(tuple(part * keep for part in spectrum), finer)
    result = finer * ops.irfft(spectrum, fft_length=finer * size)
    first = result[:, : finer * samples]
    if not ahead:
        return first
    # What rings before the first sample is at the end of the gap.
    return ops.concatenate([result[:, -ahead:], first], axis=1)


def low_pass(cutoff, bins):
    """Weights that keep what is below a frequency.

    Args:
        cutoff: Tensor of shape `(rows,)`, in shares of the highest
            frequency; from 1 on, all is kept.
        bins: How many bins there are, from 0 to the highest frequency.

    Returns:
        A tensor of shape `(rows, bins)`, of numbers from 0 to 1.
    """
    places = np.linspace(0, 1, bins, dtype="float32")
    above = ops.convert_to_tensor(places) - cutoff[:, None]
    return ops.clip(1.0 - above / SLOPE, 0.0, 1.0)


def widened(spectrum, finer):
    """Spectra of the same signals with more samples, not scaled.

    Args:
        spectrum: Pair of tensors whose last axis holds the bins of an even
            number of samples.
        finer: How many samples there shall be for one.

    Returns:
        A pair of tensors.
    """
    if finer == 1:
        return spectrum
    bins = spectrum[0].shape[-1]
    # The last bin stands for two frequencies, which now are two bins.
    share = np.ones(bins, "float32")
    share[-1] = 0.5
    share = ops.convert_to_tensor(share)
    around = [[0, 0]] * (len(spectrum[0].shape) - 1)
    around = [*around, [0, (finer - 1) * (bins - 1)]]
    return tuple(ops.pad(part * share, around) for part in spectrum)

"""Filters of signals by their spectra, which are pairs of real tensors."""

import numpy as np

from keras_regopt._keras import data_ops as ops

# Share of the band in which a low-pass goes from all to nothing.
SLOPE = 0.02

# Long signals are filtered block by block, which is faster than as a whole.
# A block has this many samples, and this many bins.
BLOCK = 2048
BINS = BLOCK // 2 + 1

# How many samples a filter reaches: what is nearer to the ends of a block is
# left to its neighbours.
REACH = 128


def filtered(signals, weights, finer=1, ahead=0):
    """Multiplies the spectra of signals.

    Args:
        signals: Tensor of shape `(rows, samples)` and dtype float32.
        weights: Tensor of shape `(rows, BINS)`.
        finer: How many samples of the output there are for one of the input.
            Defaults to `1`.
        ahead: How many samples before the first are wanted too. Defaults to
            `0`.

    Returns:
        A tensor of shape `(rows, length)` with, at the least, `ahead` and
        `finer` times as many samples as the signals; behind these, what rings
        on, and silence.
    """
    own = BLOCK - 2 * REACH
    count = -(-(signals.shape[1] + REACH) // own)
    behind = (count + 1) * own - REACH - signals.shape[1]
    signals = ops.pad(signals, [[0, 0], [REACH, behind]])
    parts = ops.reshape(signals, (-1, count + 1, own))
    blocks = [parts[:, :-1], parts[:, 1:, : 2 * REACH]]
    blocks = ops.concatenate(blocks, axis=-1)
    spectrum = ops.rfft(blocks, fft_length=BLOCK)
    spectrum = tuple(part * weights[:, None] for part in spectrum)
    blocks = ops.irfft(widened(spectrum, finer), fft_length=finer * BLOCK)
    first = finer * REACH - ahead
    blocks = finer * blocks[..., first : first + finer * own]
    return ops.reshape(blocks, (-1, count * finer * own))


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

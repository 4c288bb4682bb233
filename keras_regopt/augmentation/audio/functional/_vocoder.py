"""Signals made longer or shorter at the pitch that they have."""

import keras
import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._training import is_traced
from keras_regopt.augmentation.audio.functional import _vocoder_torch
from keras_regopt.augmentation.audio.functional._block_filter import widened
from keras_regopt.augmentation.audio.functional._frames import (
    HOPS,
    hann,
    pieces_at,
)
from keras_regopt.augmentation.audio.functional._phasors import (
    followed,
    pull,
    times,
)
from keras_regopt.augmentation.audio.functional._scan import scanned


def stretch(
    signals, tempo, length, hop, channels=1, finer=1, keep=None, ahead=0
):
    """Plays signals faster or slower at the pitch that they have.

    A phase vocoder. Window `t` of the output is one of the input, `X(t)`,
    whose bins are turned by the phasors `R(t)`. How far a bin turns within a
    hop is told by a second window of the input, `B(t)`, one hop before the
    first: `G(t) = X(t - 1) * conj(B(t))`. A bin turns along with its
    neighbours, those with more energy ahead:

        R(t) = unit(sum of R(t - 1) * G(t) * |X(t) / X(t - 1)| over near bins)

    So the bins of a harmonic stay together, no peak is searched, and no phase
    is unwrapped. Where a bin begins to sound, it pulls towards 1: that keeps
    a click in one piece and in its place.

    Args:
        signals: Tensor of shape `(rows, samples)` and dtype float32. The
            channels of a clip are rows behind one another.
        tempo: Tensor of shape `(rows,)`: the speed, above 1 is faster.
        length: How many samples of the output are wanted.
        hop: How many samples the windows of the output lie apart.
        channels: How many rows belong to one clip and turn together.
            Defaults to `1`.
        finer: How many samples of the output there are for one of the input.
            Defaults to `1`.
        keep: Optional tensor of shape `(rows, 2 * hop + 1)` by which the
            spectra of the windows are multiplied.
        ahead: How many samples of the output before the first are wanted too.
            Defaults to `0`.

    Returns:
        A tensor of shape `(rows, ahead + finer * length)`, silent where the
        input is over.

    References:
        Puckette 1995, Phase-locked vocoder; Laroche and Dolson 1999, Improved
        phase vocoder time-scale modification of audio.
    """
    size = HOPS * hop
    count = -(-length // hop) + HOPS
    starts = _starts(tempo, count, signals.shape[1], hop)
    padded = ops.pad(signals, [[0, 0], [size + hop, 2 * size + hop]])
    windows = hann(size), finer * hann(finer * size) / 1.5
    run = _streamed
    if keras.backend.backend() == "torch" and not (
        is_traced(signals) or signals.requires_grad
    ):
        run = _vocoder_torch.stretched
    result = run(padded, starts, windows, channels, finer, keep)
    lead = finer * (size - hop)
    return result[:, lead - ahead : lead + finer * length]


def _starts(tempo, count, samples, hop):
    """Where the earlier one of two windows starts, in the padded signals."""
    size = HOPS * hop
    centers = (np.arange(count) + 1) * hop - size / 2
    centers = ops.convert_to_tensor(centers[:, None], "float32")
    # The padding is a window and a hop long, half a window of which lies
    # before the center, and a hop before that the earlier window starts.
    starts = ops.floor(centers * tempo + 0.5) + size / 2
    # What lies beyond the ends is silence.
    return ops.cast(ops.clip(starts, 0, samples + size + hop), "int32")


def _streamed(signals, starts, windows, channels, finer, keep):
    """Window after window, so that what is at work stays near the processor.

    Args:
        signals: Tensor of shape `(rows, samples)`, with padding.
        starts: Integer tensor of shape `(count, rows)`.
        windows: The windows of the input and of the output, NumPy arrays.
        channels: See `stretch`.
        finer: See `stretch`.
        keep: See `stretch`.

    Returns:
        A tensor of shape `(rows, count * finer * hop)`.
    """
    coming, going = (ops.convert_to_tensor(window) for window in windows)
    size, bins = coming.shape[0], coming.shape[0] // 2 + 1
    hop = size // HOPS

    def step(carry, start):
        rotation, last, tail = carry
        both = pieces_at(signals, start[None], size + hop)[0]
        now = ops.rfft(both[:, hop:] * coming, fft_length=size)
        before = ops.rfft(both[:, :size] * coming, fft_length=size)
        drawn, fresh = pull(last, now, before, channels)
        rotation = followed(rotation, drawn, fresh)
        turned = times(now, _repeated(rotation, channels))
        if keep is not None:
            turned = tuple(part * keep for part in turned)
        piece = ops.irfft(widened(turned, finer), fft_length=finer * size)
        tail = tail + piece * going
        done, tail = tail[:, : finer * hop], tail[:, finer * hop :]
        tail = ops.pad(tail, [[0, 0], [0, finer * hop]])
        return (rotation, now, tail), done

    nothing = ops.zeros_like(signals[:, :1])
    of_clips = nothing[::channels] + ops.zeros((1, bins))
    of_rows = nothing + ops.zeros((1, bins))
    tail = nothing + ops.zeros((1, finer * size))
    carry = ((of_clips + 1.0, of_clips), (of_rows, of_rows), tail)
    result = scanned(step, carry, starts)
    result = ops.transpose(result, (1, 0, 2))
    return ops.reshape(result, (-1, result.shape[1] * result.shape[2]))


def _repeated(rotation, channels):
    """The rotation of a clip for each of its channels."""
    if channels == 1:
        return rotation
    return tuple(ops.repeat(part, channels, axis=0) for part in rotation)

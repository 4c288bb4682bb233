"""Clips played at another pace and another pitch, by what that takes."""

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._frames import hop_size
from keras_regopt.augmentation.audio.functional._resample import (
    FINER,
    read_at_speed,
    resample,
    spline_weights,
)
from keras_regopt.augmentation.audio.functional._vocoder import stretch

NONE = (1.0, 1.0)


def rescaled(clips, pace, pitch, tempos, pitches, sample_rate):
    """Plays clips faster or slower, and higher or lower.

    Args:
        clips: Float32 tensor of shape `(batch, time, channels)`, whose time
            and channels are known.
        pace: Tensor of shape `(batch,)`: how much faster.
        pitch: Tensor of shape `(batch,)`: how much higher, as a factor of
            the frequencies.
        tempos: The lowest and the highest of `pace / pitch`, Python numbers;
            `(1.0, 1.0)` is a tape at another speed.
        pitches: The lowest and the highest of `pitch`; `(1.0, 1.0)` if none
            changes.
        sample_rate: Samples a second.

    Returns:
        A tensor like `clips`, silent where they are over.
    """
    _, length, channels = clips.shape
    signals = rows_of(clips)
    pace, pitch = (_of_rows(x, channels) for x in (pace, pitch))
    if tempos == NONE:
        return clips_of(resample(signals, pitch, length), channels)
    hop = hop_size(sample_rate)
    tempo = pace / pitch
    if pitches == NONE:
        result = stretch(signals, tempo, length, hop, channels)
        return clips_of(result, channels)
    # No more than is read, and no more than there is.
    needed = math.ceil(length * min(pitches[1], 1 / tempos[0])) + 1
    keep = spline_weights(pitch, 2 * hop + 1)
    fine = stretch(signals, tempo, needed, hop, channels, FINER, keep, ahead=1)
    return clips_of(read_at_speed(fine, pitch, length), channels)


def rows_of(clips):
    """The channels of clips as rows behind one another."""
    _, length, channels = clips.shape
    if channels > 1:
        clips = ops.transpose(clips, (0, 2, 1))
    return ops.reshape(clips, (-1, length))


def clips_of(signals, channels):
    """Clips whose channels were rows behind one another."""
    clips = ops.reshape(signals, (-1, channels, signals.shape[1]))
    return ops.transpose(clips, (0, 2, 1))


def _of_rows(x, channels):
    x = ops.cast(x, "float32")
    return x if channels == 1 else ops.repeat(x, channels, axis=0)

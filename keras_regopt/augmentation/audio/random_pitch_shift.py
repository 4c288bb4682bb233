import math

from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._timescale import (
    TimescaleAugmentation,
    checked_sample_rate,
    extremes,
)

# The logarithm of the factor of one semitone, of which an octave has twelve.
SEMITONE = math.log(2) / 12


@register
class RandomPitchShift(TimescaleAugmentation):
    """Makes each clip higher or lower, at the pace that it has.

    Makes a model bear other speakers and other instruments. All frequencies
    are multiplied by `2 ** (semitones / 12)`: a vocoder stretches the clip,
    as `RandomTimeStretch` does, and its windows are read so much faster, as
    `RandomSpeed` does. What would be higher than half the sample rate is left
    out.

    `targets` in a dict are shifted alike, and `lengths` stay. Neighbours of
    this, `RandomTimeStretch` and `RandomSpeed` in a pipeline are one vocoder
    and one resampling.

    Args:
        semitones: How many semitones higher, from -24 to 24. A pair `(lowest,
            highest)` is a range, from which each clip draws its own. Defaults
            to `(-4.0, 4.0)`.
        sample_rate: Samples a second, from 100 to 1,000,000. Defaults to
            `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip changes at all),
            `channels` and `value_range` of `AudioAugmentation`, and `name`
            and `dtype` of a Keras layer.

    Input shape:
        `(time,)` or `(batch, time)`, with the axis of the channels behind if
        `channels=True`, or a dict; see `AudioAugmentation`. In a `tf.data`
        graph, the length must be known.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `semitones` or `sample_rate` is out of bounds.

    Examples:
        >>> layer = RandomPitchShift(semitones=12, sample_rate=16000)
        >>> clip = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
        >>> output = keras.ops.convert_to_numpy(layer(clip))
        >>> # The clip has one second, so that bins are whole hertz.
        >>> int(np.abs(np.fft.rfft(output)).argmax())
        880

    References:
        Laroche and Dolson 1999, Improved phase vocoder time-scale
        modification of audio.
    """

    def __init__(
        self,
        semitones: float | tuple[float, float] = (-4.0, 4.0),
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.semitones = one_or_range(self, "semitones", semitones, -24, 24)
        self.sample_rate = checked_sample_rate(self, sample_rate)
        low, high = extremes(self.semitones)
        self.pitches = math.exp(SEMITONE * low), math.exp(SEMITONE * high)
        self.tempos = 1 / self.pitches[1], 1 / self.pitches[0]

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        semitones = one_or_between(self.semitones, draw)
        pitch = self.ops.exp(SEMITONE * semitones)
        return {"pace": self.ops.ones_like(pitch), "pitch": pitch}

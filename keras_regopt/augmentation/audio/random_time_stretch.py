import math

from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.audio._timescale import (
    TimescaleAugmentation,
    checked_sample_rate,
    extremes,
)


@register
class RandomTimeStretch(TimescaleAugmentation):
    """Plays each clip faster or slower, at the pitch that it has.

    Makes a model bear fast and slow speakers. A phase vocoder with windows of
    48 ms, whose bins turn along with their neighbours: voices and tones keep
    their sound and their loudness, and clicks stay in one piece. All channels
    of a clip turn alike, so that sounds stay where they are between them.

    The output is as long as the input: a slower clip is cut at the end, and a
    faster one is followed by silence. `lengths` in a dict become
    `ceil(lengths / tempo)`, at the most that of the output, and `targets` are
    stretched alike. Neighbours of this, `RandomPitchShift` and `RandomSpeed`
    in a pipeline are one vocoder and one resampling.

    Args:
        tempo: How many times faster, from 0.25 to 4. A pair `(lowest,
            highest)` is a range, from which each clip draws its own, evenly
            on the scale of logarithms. Defaults to `(0.8, 1.25)`.
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
        ValueError: If `tempo` or `sample_rate` is out of bounds.

    Examples:
        >>> layer = RandomTimeStretch(tempo=1.25, sample_rate=16000)
        >>> clip = np.sin(np.arange(16000) / 6).astype("float32")
        >>> output = layer({"audio": clip[None], "lengths": np.array([16000])})
        >>> output["audio"].shape[1], int(output["lengths"][0])
        (16000, 12800)

    References:
        Laroche and Dolson 1999, Improved phase vocoder time-scale
        modification of audio.
    """

    def __init__(
        self,
        tempo: float | tuple[float, float] = (0.8, 1.25),
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.tempo = one_or_range(self, "tempo", tempo, 0.25, 4)
        self.sample_rate = checked_sample_rate(self, sample_rate)
        self.tempos = extremes(self.tempo)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        logarithm = between(tuple(map(math.log, self.tempos)), draw)
        pace = self.ops.exp(logarithm)
        return {"pace": pace, "pitch": self.ops.ones_like(pace)}

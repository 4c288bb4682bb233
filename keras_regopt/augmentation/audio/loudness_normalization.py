import math

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range
from keras_regopt.augmentation.audio._normalization import LevelNormalization
from keras_regopt.augmentation.audio.functional._levels import amplitude
from keras_regopt.augmentation.audio.functional._loudness import (
    WEIGHTS,
    loudness,
)


@register
class LoudnessNormalization(LevelNormalization):
    """Makes every clip equally loud to the ear.

    Takes from a model the work of bearing soft and loud recordings. It acts in
    training and outside of it alike, and has nothing random. The loudness is
    the integrated one of ITU-R BS.1770: the power of the clip behind a filter
    that stands for the head, in blocks of 0.4 seconds, without those below -70
    LUFS and those 10 below the mean of the others. Clips of less than 0.4
    seconds are one block. Only valid samples count, and a clip that is below
    -70 LUFS throughout stays as it is. Peaks may leave -1 to 1. `targets` and
    `lengths` do not change.

    Args:
        lufs: The loudness, from -70 to 0. Defaults to `-23.0`, that of
            European broadcasts.
        sample_rate: Samples a second, from 4000. Defaults to `16000`.
        **kwargs: `channels` and `value_range` of `AudioAugmentation`, and
            `name` and `dtype` of a Keras layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, of at
        most five (left, right, center, and the two at the back), or a dict;
        see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is out of bounds, or, in the call, if there
            are more than five channels.

    Examples:
        >>> layer = LoudnessNormalization(lufs=-20.0, sample_rate=48000)
        >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
        >>> result = layer(tone.astype("float32"))
        >>> result = keras.ops.convert_to_numpy(result)
        >>> round(20 * float(np.log10(result.max())))
        -17

    References:
        ITU-R 2023, Recommendation BS.1770-5: algorithms to measure audio
        programme loudness and true-peak audio level.
    """

    def __init__(
        self, lufs: float = -23.0, sample_rate: float = 16000, **kwargs
    ):
        super().__init__(**kwargs)
        self.lufs = in_range(self, "lufs", lufs, -70, 0)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, low=4000)

    def gain(self, inputs, lengths):
        channels = inputs.shape[2]
        if channels > len(WEIGHTS):
            fail(
                self,
                "audio",
                f"of at most {len(WEIGHTS)} channels",
                f"{channels} channels",
            )
        level = loudness(inputs, lengths, self.sample_rate)
        heard = level > -math.inf
        change = self.lufs - self.ops.where(heard, level, self.lufs)
        return amplitude(change)

from keras_regopt._registry import register
from keras_regopt._validate import in_range, one_of
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._noise import COLORS, add_noise


@register
class RandomNoise(AudioAugmentation):
    """Adds white, pink or brown noise to each clip.

    Teaches a model to hear through the hiss of microphones and the rumble of
    rooms. The result is `audio + gain * noise`, where `gain` is such that the
    power of the audio over that of the noise, both measured over the valid
    samples, is `snr` in decibels. Padding stays as it is, and so does silence,
    unless `level` is given. Nothing is cut off, and `targets` do not change.

    Args:
        snr: The ratio of signal to noise in decibels, from -30 to 100. A pair
            `(lowest, highest)` is a range, from which each clip draws its
            own. Defaults to `(5.0, 40.0)`.
        color: `"white"`, with the same power at each frequency, `"pink"`,
            whose power falls by 3 decibels an octave, or `"brown"`, by 6. The
            latter two have nothing below 20 Hz. Defaults to `"white"`.
        level: The level of the noise itself in decibels, from -120 to 0, where
            0 is a root mean square of 1, or a pair; then `snr` counts for
            nothing. Defaults to `None`.
        sample_rate: Samples a second, above 100, of which colored noise must
            know. Defaults to `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip changes at all),
            `channels` and `value_range`, and `name` and `dtype` of a Keras
            layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`. Each channel gets noise of its own.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among these values.

    Examples:
        >>> layer = RandomNoise(snr=20.0, seed=0)
        >>> audio = np.sin(np.arange(16000) / 10).astype("float32")
        >>> noise = keras.ops.convert_to_numpy(layer(audio)) - audio
        >>> round(10 * float(np.log10((audio**2).mean() / (noise**2).mean())))
        20

    References:
        Voss and Clarke 1978, "1/f noise" in music: music from 1/f noise.
    """

    def __init__(
        self,
        snr: float | tuple[float, float] = (5.0, 40.0),
        color: str = "white",
        level: float | tuple[float, float] | None = None,
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.snr = one_or_range(self, "snr", snr, -30, 100)
        self.color = one_of(self, "color", color, tuple(COLORS))
        if level is not None:
            level = one_or_range(self, "level", level, -120, 0)
        self.level = level
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=100)

    def sample(self, shape, seed):
        # One tensor: eagerly, to take it apart would last longer than noise.
        draws = self.random.uniform((shape[0], 3), seed=seed, dtype="float32")
        return {"draws": draws}

    def apply(self, inputs, parameters):
        draws = [
            self.ops.take(parameters["draws"], column, axis=1)
            for column in range(3)
        ]
        is_level = self.level is not None
        amount = self.level if is_level else self.snr
        return add_noise(
            inputs,
            keys_from(draws[1], draws[2]),
            parameters["lengths"],
            one_or_between(amount, draws[0]),
            is_level,
            self.color,
            self.sample_rate,
        )

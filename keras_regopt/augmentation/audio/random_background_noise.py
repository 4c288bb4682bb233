from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio._holds_recordings import HoldsRecordings
from keras_regopt.augmentation.audio._recordings import Sounds, without_silence
from keras_regopt.augmentation.audio.functional._excerpts import (
    excerpts,
    index_of,
)
from keras_regopt.augmentation.audio.functional._levels import add_at_snr


@register
class RandomBackgroundNoise(HoldsRecordings, AudioAugmentation):
    """Adds a stretch of a recorded noise to each clip.

    Teaches a model to hear in streets, kitchens and among other voices. Each
    clip draws a recording and where it begins; one that is too short is
    repeated. The result is `audio + gain * noise`, where `gain` is such that
    the power of the audio over that of the noise, both measured over the valid
    samples, is `snr` in decibels. Stretches of the recordings that are silent,
    40 decibels below the whole for 50 milliseconds, are never heard. Padding
    and silence stay as they are, nothing is cut off, and `targets` do not
    change.

    The recordings are read when the layer is made and are part of a saved
    `.keras` file, which loads where they are gone.

    Args:
        noises: The recordings: a float array of shape `(time,)` or `(noises,
            time)`, a list of arrays, or the path of a WAV file, of a folder
            of them, or a list of such paths. Channels of files are averaged,
            and files of another sample rate are resampled.
        snr: The ratio of signal to noise in decibels, from -30 to 100. A pair
            `(lowest, highest)` is a range, from which each clip draws its
            own. Defaults to `(0.0, 30.0)`.
        sample_rate: Samples a second. Defaults to `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip changes at all),
            `channels` and `value_range`, and `name` and `dtype` of a Keras
            layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`. All channels get the same noise.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among these values, if a file cannot
            be read, or if a recording is silent.

    Examples:
        >>> hum = np.sin(np.arange(8000) / 50).astype("float32")
        >>> layer = RandomBackgroundNoise(hum, snr=10.0, seed=0)
        >>> audio = np.sin(np.arange(16000) / 10).astype("float32")
        >>> noise = keras.ops.convert_to_numpy(layer(audio)) - audio
        >>> round(10 * float(np.log10((audio**2).mean() / (noise**2).mean())))
        10

    References:
        Snyder, Chen and Povey 2015, MUSAN: a music, speech, and noise corpus.
    """

    sounds_argument = "noises"

    def __init__(
        self,
        noises: Sounds,
        snr: float | tuple[float, float] = (0.0, 30.0),
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.snr = one_or_range(self, "snr", snr, -30, 100)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=0)
        self.noises = self._hold(noises)

    def sample(self, shape, seed):
        draws = self.uniforms(3, shape[0], seed)
        return {
            "snr": one_or_between(self.snr, draws[0]),
            "which": index_of(draws[1], len(self.recordings)),
            "begin": draws[2],
        }

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        noise = excerpts(
            self.recordings,
            parameters["which"],
            parameters["begin"],
            lengths,
            ops.shape(inputs)[1],
        )
        noise = ops.broadcast_to(noise[:, :, None], ops.shape(inputs))
        return add_at_snr(inputs, noise, parameters["snr"], lengths)

    def _prepared(self, sounds):
        return without_silence(sounds, self.sample_rate)

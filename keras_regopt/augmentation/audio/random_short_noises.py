import numpy as np

from keras_regopt._registry import register
from keras_regopt._validate import in_range, integer
from keras_regopt.augmentation._ranges import one_or_range, whole_number
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio._holds_recordings import HoldsRecordings
from keras_regopt.augmentation.audio._recordings import Sounds
from keras_regopt.augmentation.audio.functional._excerpts import (
    constant,
    index_of,
    placed,
)
from keras_regopt.augmentation.audio.functional._levels import (
    amplitude,
    mean_square,
    per_clip,
    within,
)

# Seconds over which the ends of a sound are faded, so that none clicks.
FADE = 0.005


@register
class RandomShortNoises(HoldsRecordings, AudioAugmentation):
    """Adds short sounds to each clip, at random places.

    Teaches a model to bear coughs, doors and passing cars. Each clip draws how
    many sounds it gets, and for each of them which one, where, and how loud:
    the power of the audio, over its valid samples, over that of the sound,
    over its own length, is `snr` in decibels. A sound lies within the valid
    samples, and only one that is longer than these is cut off. Padding and
    silence stay as they are, and `targets` do not change.

    The sounds are read when the layer is made and are part of a saved `.keras`
    file, which loads where they are gone.

    Args:
        noises: The sounds: a float array of shape `(time,)` or `(noises,
            time)`, a list of arrays, or the path of a WAV file, of a folder
            of them, or a list of such paths. Channels of files are averaged,
            and files of another sample rate are resampled.
        count: How many sounds a clip gets, an integer from 0 to 16. A pair
            `(lowest, highest)` is a range, from which each clip draws its
            own. Defaults to `(1, 4)`.
        snr: The ratio of signal to noise in decibels, from -30 to 100, or a
            pair, from which each sound draws its own. Defaults to `(0.0,
            24.0)`.
        sample_rate: Samples a second. Defaults to `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip changes at all),
            `channels` and `value_range`, and `name` and `dtype` of a Keras
            layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`. All channels get the same sounds.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among these values, if a file cannot
            be read, or if a sound is silent.

    Examples:
        >>> click = np.sin(np.arange(400) / 5).astype("float32")
        >>> layer = RandomShortNoises(click, count=2, seed=0)
        >>> audio = np.sin(np.arange(16000) / 10).astype("float32")
        >>> changed = keras.ops.convert_to_numpy(layer(audio)) != audio
        >>> 400 < int(changed.sum()) <= 800
        True

    References:
        Salamon and Bello 2017, Deep convolutional neural networks and data
        augmentation for environmental sound classification.
    """

    sounds_argument = "noises"

    def __init__(
        self,
        noises: Sounds,
        count: int | tuple[int, int] = (1, 4),
        snr: float | tuple[float, float] = (0.0, 24.0),
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.count = one_or_range(self, "count", count, 0, 16, check=integer)
        self.snr = one_or_range(self, "snr", snr, -30, 100)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=0)
        self.noises = self._hold(noises)

    def sample(self, shape, seed):
        most = max(np.atleast_1d(self.count))
        draws = self.uniforms(1 + 3 * int(most), shape[0], seed)
        number = whole_number(self.count, draws[0])
        return {
            f"sound_{index}": {
                "present": number > index,
                "snr": one_or_between(self.snr, draws[3 * index + 1]),
                "which": index_of(draws[3 * index + 2], len(self.recordings)),
                "place": draws[3 * index + 3],
            }
            for index in range(most)
        }

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        time = ops.shape(inputs)[1]
        power = mean_square(inputs, lengths)
        total = ops.zeros_like(inputs)
        for name in [name for name in parameters if name != "lengths"]:
            sound, powers = self._sound(parameters[name], lengths, time)
            gain = ops.sqrt(power / powers) * amplitude(
                -parameters[name]["snr"]
            )
            gain = ops.where(parameters[name]["present"], gain, 0.0)
            total = total + per_clip(gain) * sound[:, :, None]
        return ops.where(within(lengths, time), inputs + total, inputs)

    def _sound(self, parameters, lengths, time):
        """One sound in each clip, and the power that it has by itself."""
        ops, recordings = self.ops, self.recordings
        which = parameters["which"]
        sizes = ops.take(constant(recordings.sizes), which)
        spare = ops.maximum(lengths - sizes, 0) + 1
        positions = index_of(parameters["place"], spare)
        powers = np.array([np.mean(s**2) for s in recordings], "float32")
        powers = ops.take(constant(powers), which)
        return placed(recordings, which, positions, time), powers

    def _prepared(self, sounds):
        size = round(FADE * self.sample_rate)
        return [_faded(sound, size) for sound in sounds]


def _faded(sound, size):
    """A sound whose first and last samples rise from zero and fall to it."""
    size = max(1, min(size, len(sound) // 4))
    ramp = (np.arange(size, dtype="float32") + 0.5) / size
    sound = sound.copy()
    sound[:size] *= ramp
    sound[-size:] *= ramp[::-1]
    return sound

import math

from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation._noise import keys_from
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._holds_recordings import HoldsRecordings
from keras_regopt.augmentation.audio._linear import LinearAugmentation
from keras_regopt.augmentation.audio._recordings import Recordings, Sounds
from keras_regopt.augmentation.audio.functional import _reverb
from keras_regopt.augmentation.audio.functional._excerpts import (
    constant,
    index_of,
    padded,
)

# How many rooms are made, and the seed of a layer without one: a layer that
# is loaded must have the same.
ROOMS, SEED = 32, 0

SYNTHETIC = ("decay", "shoebox")


@register
class RandomReverb(HoldsRecordings, LinearAugmentation):
    """Lets each clip sound in a room.

    Teaches a model that is trained near microphones to hear from far off.
    Each clip is convolved with an impulse response, from its direct sound on,
    which so stays where it was, and whose energy is made 1, so that noise
    would be as loud as before. What rings on beyond the valid samples is cut
    off. Neighbouring gains, filters and reverberations in a pipeline cost one
    transform. `targets` and `lengths` do not change.

    Args:
        responses: `"decay"`, direct sound and noise that fades exponentially;
            `"shoebox"`, 32 rooms in the shape of boxes of 3 x 3 x 2.4 to 10 x
            8 x 4 meters, with random places of source and microphone, whose
            walls are mirrors for the first 50 milliseconds; or recorded
            responses, a float array of shape `(time,)` or `(responses,
            time)`, a list of arrays, or the path of a WAV file, of a folder of
            them, or a list of such paths. These are part of a saved `.keras`
            file. Defaults to `"decay"`.
        decay: Of `"decay"` and `"shoebox"`, the seconds in which the sound
            fades by 60 decibels, from 0.05 to 10. A pair `(lowest, highest)`
            is a range, from which each clip, or each room, draws its own.
            Defaults to `(0.1, 0.8)`.
        direct: Of `"decay"`, the energy of the direct sound over that of the
            noise in decibels, from -30 to 60, or a pair. Defaults to `(0.0,
            12.0)`.
        sample_rate: Samples a second, above 200. Defaults to `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip changes at all),
            `channels` and `value_range`, and `name` and `dtype` of a Keras
            layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among these values, if a file cannot
            be read, or if a response is silent.

    Examples:
        >>> layer = RandomReverb(np.array([0.0, 1.0, 0.0, 0.75], "float32"))
        >>> audio = np.array([1.0, 0.0, 0.0, 0.0, 0.0], "float32")
        >>> result = keras.ops.convert_to_numpy(layer(audio))
        >>> (result.round(4) + 0.0).tolist()
        [0.800000011920929, 0.0, 0.6000000238418579, 0.0, 0.0]

    References:
        Allen and Berkley 1979, Image method for efficiently simulating
        small-room acoustics.
        Polack 1988, La transmission de l'energie sonore dans les salles.
    """

    sounds_argument = "responses"

    def __init__(
        self,
        responses: Sounds = "decay",
        decay: float | tuple[float, float] = (0.1, 0.8),
        direct: float | tuple[float, float] = (0.0, 12.0),
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.decay = one_or_range(self, "decay", decay, 0.05, 10)
        self.direct = one_or_range(self, "direct", direct, -30, 60)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=200)
        if isinstance(responses, str) and responses in SYNTHETIC:
            self.responses = responses
            if responses == "shoebox":
                self._recordings = Recordings(self._rooms())
        else:
            self.responses = self._hold(responses)

    @property
    def tail(self):
        if self.responses == "decay":
            return math.ceil(self._decays()[1] * self.sample_rate)
        return int(self.recordings.sizes.max())

    def sample(self, shape, seed):
        draws = self.uniforms(4, shape[0], seed)
        if self.responses != "decay":
            return {"which": index_of(draws[0], len(self.recordings))}
        return {
            "decay": one_or_between(self.decay, draws[0]),
            "direct": one_or_between(self.direct, draws[1]),
            "key": keys_from(draws[2], draws[3]),
        }

    def response(self, parameters, size):
        return self.ops.rfft(self._impulses(parameters), fft_length=size)

    def save_assets(self, folder):
        # Rooms are made again from their seed.
        if self.responses not in SYNTHETIC:
            super().save_assets(folder)

    def _impulses(self, parameters):
        """The impulse response of each clip."""
        if self.responses != "decay":
            rows = constant(padded(self.recordings))
            return self.ops.take(rows, parameters["which"], axis=0)
        decay, direct = parameters["decay"], parameters["direct"]
        return _reverb.decaying(
            parameters["key"], decay, direct, self.tail, self.sample_rate
        )

    def _prepared(self, sounds):
        return [_reverb.at_direct_sound(sound) for sound in sounds]

    def _rooms(self):
        seed = SEED if self.seed is None else self.seed
        return _reverb.rooms(ROOMS, self._decays(), self.sample_rate, seed)

    def _decays(self):
        is_pair = isinstance(self.decay, tuple)
        return self.decay if is_pair else (self.decay, self.decay)

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio._timescale import (
    LOWEST_RATE,
    check_length,
    checked_sample_rate,
    extremes,
    silent_beyond,
)
from keras_regopt.augmentation.audio.functional._resample import band_limited
from keras_regopt.augmentation.audio.functional._timescale import (
    clips_of,
    rows_of,
)


@register
class RandomResample(AudioAugmentation):
    """Makes each clip sound as if it had been sampled at a lower rate.

    Makes a model bear telephones and cheap microphones, which hear no high
    frequencies. A clip that is resampled to a lower rate and back loses all
    above half of that rate, and nothing else: so do the spectra here. The
    number of samples stays, and so do `targets` and `lengths` in a dict.

    Args:
        lower_rate: The lower rate, in samples a second, from 100 to
            `sample_rate`. A pair `(lowest, highest)` is a range, from which
            each clip draws its own, evenly on the scale of logarithms.
            Defaults to `(4000.0, 16000.0)`.
        sample_rate: Samples a second of the clips, from 100 to 1,000,000.
            Defaults to `16000`.
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
        ValueError: If `sample_rate` or `lower_rate` is out of bounds.

    Examples:
        >>> layer = RandomResample(lower_rate=8000, sample_rate=16000)
        >>> time = np.arange(16000) / 16000
        >>> low, high = (np.sin(2 * np.pi * f * time) for f in (1000, 6000))
        >>> output = keras.ops.convert_to_numpy(layer(low + high))
        >>> bool(np.abs(output - low)[200:-200].max() < 0.01)
        True

    References:
        Oppenheim and Schafer 2009, Discrete-time signal processing.
    """

    def __init__(
        self,
        lower_rate: float | tuple[float, float] = (4000.0, 16000.0),
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.sample_rate = checked_sample_rate(self, sample_rate)
        self.lower_rate = one_or_range(
            self, "lower_rate", lower_rate, LOWEST_RATE, self.sample_rate
        )

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        rates = extremes(self.lower_rate)
        shares = tuple(math.log(rate / self.sample_rate) for rate in rates)
        return {"cutoff": ops.exp(between(shares, draw))}

    def apply(self, inputs, parameters):
        check_length(self, inputs)
        lengths, channels = parameters["lengths"], inputs.shape[2]
        clips = ops.cast(silent_beyond(inputs, lengths), "float32")
        cutoff = ops.repeat(parameters["cutoff"], channels, axis=0)
        result = clips_of(band_limited(rows_of(clips), cutoff), channels)
        return silent_beyond(ops.cast(result, inputs.dtype), lengths)

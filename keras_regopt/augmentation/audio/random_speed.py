import math

from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.audio._timescale import (
    TimescaleAugmentation,
    extremes,
)


@register
class RandomSpeed(TimescaleAugmentation):
    """Plays each clip faster and higher, or slower and lower.

    The usual augmentation of speech recognizers: what a tape at another speed
    does, pace and pitch at once. It costs a fraction of what a vocoder does.
    The clip is read by cubic splines at twice its rate; what would be higher
    than half the sample rate is left out.

    The output is as long as the input: a slower clip is cut at the end, and a
    faster one is followed by silence. `lengths` in a dict become
    `ceil(lengths / speed)`, at the most that of the output, and `targets` are
    played alike. Neighbours of this, `RandomTimeStretch` and
    `RandomPitchShift` in a pipeline are one vocoder and one resampling.

    Args:
        speed: How many times faster, from 0.25 to 4. A pair `(lowest,
            highest)` is a range, from which each clip draws its own, evenly
            on the scale of logarithms. Defaults to `(0.9, 1.1)`.
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
        ValueError: If `speed` is out of bounds.

    Examples:
        >>> layer = RandomSpeed(speed=2.0)
        >>> clip = np.sin(2 * np.pi * np.arange(100) / 20)
        >>> output = keras.ops.convert_to_numpy(layer(clip))
        >>> bool(np.abs(output[10:40] - clip[20:80:2]).max() < 0.01)
        True
        >>> bool((output[50:] == 0).all())
        True

    References:
        Ko et al. 2015, Audio augmentation for speech recognition.
    """

    def __init__(
        self,
        speed: float | tuple[float, float] = (0.9, 1.1),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.speed = one_or_range(self, "speed", speed, 0.25, 4)
        self.pitches = extremes(self.speed)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        logarithm = between(tuple(map(math.log, self.pitches)), draw)
        speed = self.ops.exp(logarithm)
        return {"pace": speed, "pitch": speed}

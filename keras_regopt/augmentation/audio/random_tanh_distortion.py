from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._distortion import saturate
from keras_regopt.augmentation.audio.functional._levels import (
    amplitude,
    within,
)


@register
class RandomTanhDistortion(AudioAugmentation):
    """Distorts each clip softly, as an amplifier at its limits does.

    Teaches a model to bear small loudspeakers and old tape. The clip is
    brought to a peak of `10 ** (drive / 20)`, sent through the hyperbolic
    tangent, and made as loud as it was, by its root mean square. `targets` and
    `lengths` do not change.

    Args:
        drive: The peak that reaches the tangent, in decibels, from -40, where
            nobody hears it, to 60, where hardly more than the sign is left. A
            pair `(lowest, highest)` is a range, from which each clip draws
            its own. Defaults to `(0.0, 20.0)`.
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
        ValueError: If `drive` is out of bounds.

    Examples:
        >>> layer = RandomTanhDistortion(drive=20.0)
        >>> audio = np.sin(np.arange(16000) / 10).astype("float32")
        >>> result = keras.ops.convert_to_numpy(layer(audio))
        >>> round(float(result.std() / audio.std()), 2)
        1.0
        >>> round(float(result.max()), 2)
        0.73

    References:
        Yeh 2009, Digital implementation of musical distortion circuits by
        analysis and simulation.
    """

    def __init__(
        self,
        drive: float | tuple[float, float] = (0.0, 20.0),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.drive = one_or_range(self, "drive", drive, -40, 60)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"drive": amplitude(one_or_between(self.drive, draw))}

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        result = saturate(inputs, parameters["drive"], lengths)
        valid = within(lengths, ops.shape(inputs)[1])
        return ops.where(valid, result, inputs)

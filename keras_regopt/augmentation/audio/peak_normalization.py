from keras_regopt._registry import register
from keras_regopt._validate import in_range
from keras_regopt.augmentation.audio._normalization import LevelNormalization
from keras_regopt.augmentation.audio.functional._levels import (
    peak,
    ratio_or_one,
)


@register
class PeakNormalization(LevelNormalization):
    """Brings the loudest sample of every clip to one level.

    Takes from a model the work of bearing soft and loud recordings. It acts
    in training and outside of it alike, and has nothing random. The result is
    `audio * 10 ** (decibels / 20) / max(abs(audio))`, the largest magnitude
    taken over the valid samples of all channels; silence stays silence.
    `targets` and `lengths` do not change.

    Args:
        decibels: The level of the peak, from -60 to 0, where 0 is a magnitude
            of 1. Defaults to `0.0`.
        **kwargs: `channels` and `value_range` of `AudioAugmentation`, and
            `name` and `dtype` of a Keras layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `decibels` is out of bounds.

    Examples:
        >>> layer = PeakNormalization()
        >>> audio = np.array([0.25, -0.5, 0.0], "float32")
        >>> keras.ops.convert_to_numpy(layer(audio)).tolist()
        [0.5, -1.0, 0.0]

    References:
        EBU 2023, Tech 3343: guidelines for production of programmes in
        accordance with EBU R 128.
    """

    def __init__(self, decibels: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.decibels = in_range(self, "decibels", decibels, -60, 0)

    def gain(self, inputs, lengths):
        level = 10 ** (self.decibels / 20)
        return ratio_or_one(level, peak(inputs, lengths))

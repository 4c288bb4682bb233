from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._linear import LinearAugmentation
from keras_regopt.augmentation.audio.functional._levels import amplitude


@register
class RandomGain(LinearAugmentation):
    """Makes each clip louder or softer.

    Teaches a model that people speak near a microphone and far from it. Every
    sample is multiplied by `10 ** (decibels / 20)`, the same number throughout
    a clip. Nothing is cut off: what leaves -1 to 1 stays so. `targets` and
    `lengths` do not change.

    Args:
        decibels: The change of the level, from -120 to 60. A pair `(lowest,
            highest)` is a range, from which each clip draws its own. Defaults
            to `(-12.0, 6.0)`.
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
        ValueError: If `decibels` is out of bounds.

    Examples:
        >>> layer = RandomGain(decibels=-20.0)
        >>> audio = np.array([0.5, -1.0, 0.25], "float32")
        >>> keras.ops.convert_to_numpy(layer(audio)).round(3).tolist()
        [0.05000000074505806, -0.10000000149011612, 0.02500000037252903]

    References:
        Ko, Peddinti, Povey, Seltzer and Khudanpur 2017, A study on data
        augmentation of reverberant speech for robust speech recognition.
    """

    def __init__(
        self,
        decibels: float | tuple[float, float] = (-12.0, 6.0),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.decibels = one_or_range(self, "decibels", decibels, -120, 60)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"gain": amplitude(one_or_between(self.decibels, draw))}

    def response(self, parameters, size):
        gain = parameters["gain"][:, None]
        return gain, self.ops.zeros_like(gain)

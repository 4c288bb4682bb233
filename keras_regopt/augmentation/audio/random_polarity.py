from keras_regopt._registry import register
from keras_regopt.augmentation.audio._linear import LinearAugmentation


@register
class RandomPolarity(LinearAugmentation):
    """Turns some clips upside down.

    Nobody hears it, and microphones and cables do it, but a model that reads
    samples can come to rely on it. A sample `x` becomes `-x`. `targets` and
    `lengths` do not change.

    Args:
        rate: Probability that a clip is turned, from 0 to 1. Defaults to
            `0.5`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `channels` and `value_range`, and `name` and `dtype` of a
            Keras layer.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` one more axis, or a
        dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `rate` is out of bounds.

    Examples:
        >>> layer = RandomPolarity(rate=1.0)
        >>> audio = np.array([0.5, -1.0, 0.25], "float32")
        >>> keras.ops.convert_to_numpy(layer(audio)).tolist()
        [-0.5, 1.0, -0.25]

    References:
        Toole 2017, Sound reproduction: the acoustics and psychoacoustics of
        loudspeakers and rooms.
    """

    def __init__(self, rate: float = 0.5, seed: int | None = None, **kwargs):
        super().__init__(rate=rate, seed=seed, **kwargs)

    def sample(self, shape, seed):
        return {"gain": -self.ops.ones((shape[0],), "float32")}

    def response(self, parameters, size):
        gain = parameters["gain"][:, None]
        return gain, self.ops.zeros_like(gain)

from keras_regopt._registry import register
from keras_regopt._validate import one_of
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._order import permute_channels


@register
class RandomAudioChannelShuffle(AudioAugmentation):
    """Puts the channels of each clip in a random order.

    For microphones or loudspeakers whose order says nothing: a model must not
    learn that voices come from the left. All orders are equally likely, the
    old one among them. `targets` get the same order.

    Args:
        rate: Probability that a clip is shuffled at all, from 0 to 1.
            Defaults to `1.0`.
        seed: Integer that fixes all draws. Defaults to `None`.
        channels: `True`, since waveforms without an axis of channels have
            nothing to shuffle. Defaults to `True`.
        **kwargs: `value_range`, and `name` and `dtype` of a Keras layer.

    Input shape:
        `(time, channels)` or `(batch, time, channels)`, or a dict; see
        `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If `rate` is out of bounds, or if `channels` is not
            `True`.

    Examples:
        >>> layer = RandomAudioChannelShuffle(seed=0)
        >>> audio = np.tile(np.array([0.1, 0.2, 0.4], "float32"), (5, 8, 1))
        >>> shuffled = keras.ops.convert_to_numpy(layer(audio))
        >>> bool(np.allclose(np.sort(shuffled, axis=-1), audio))
        True

    References:
        Uhlich, Porcu, Giron, Enenkl, Kemp, Takahashi and Mitsufuji 2017,
        Improving music source separation based on deep neural networks
        through data augmentation and network blending.
    """

    targets = frozenset({"targets"})
    computes_in_floats = False

    def __init__(
        self,
        rate: float = 1.0,
        seed: int | None = None,
        channels: bool = True,
        **kwargs,
    ):
        one_of(self, "channels", channels, (True,))
        super().__init__(rate=rate, seed=seed, channels=channels, **kwargs)

    def sample(self, shape, seed):
        draws = self.random.uniform((shape[0], shape[2]), seed=seed)
        return {"order": self.ops.argsort(draws, axis=-1)}

    def apply(self, inputs, parameters):
        return permute_channels(inputs, parameters["order"])

from keras_regopt._registry import register
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._order import reverse


@register
class RandomReverse(AudioAugmentation):
    """Plays some clips backwards.

    For tasks in which time has no direction, such as the detection of
    machines or of music from noise; spoken words are other words backwards.
    The valid samples change their order, padding stays behind them, and
    `targets` are reversed alike.

    Args:
        rate: Probability that a clip is reversed, from 0 to 1. Defaults to
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
        >>> layer = RandomReverse(rate=1.0)
        >>> audio = np.array([[0.1, 0.2, 0.3, 0.0]], "float32")
        >>> outputs = layer({"audio": audio, "lengths": np.array([3])})
        >>> keras.ops.convert_to_numpy(outputs["audio"])[0].round(1).tolist()
        [0.30000001192092896, 0.20000000298023224, 0.10000000149011612, 0.0]

    References:
        Wei, Zou, Liao and Zheng 2020, A comparison on data augmentation
        methods based on deep learning for audio classification.
    """

    targets = frozenset({"targets"})
    computes_in_floats = False

    def __init__(self, rate: float = 0.5, seed: int | None = None, **kwargs):
        super().__init__(rate=rate, seed=seed, **kwargs)

    def sample(self, shape, seed):
        return {}

    def apply(self, inputs, parameters):
        return reverse(inputs, parameters["lengths"])

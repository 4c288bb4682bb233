from keras_regopt._registry import register
from keras_regopt._validate import integer, one_of
from keras_regopt.augmentation._ranges import one_or_range, whole_number
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._distortion import (
    mu_law,
    mu_law_undone,
    quantize,
)
from keras_regopt.augmentation.audio.functional._levels import within


@register
class RandomQuantize(AudioAugmentation):
    """Rounds the samples of each clip to few bits.

    Teaches a model to bear old telephones and small devices. With `bits` bits
    there are `levels = 2 ** (bits - 1) - 1` steps on either side of zero, and
    the result is `round(audio * levels) / levels`, or the same between
    `mu_law` and its inverse, with `mu = 2 ** bits - 1`. What lies beyond -1
    to 1 is cut off. `targets` and `lengths` do not change.

    Args:
        bits: The number of bits of a sample, an integer from 2 to 16. A pair
            `(lowest, highest)` is a range, from which each clip draws its
            own. Defaults to `(6, 12)`.
        encoding: `"linear"`, with steps of one size, or `"mu_law"`, with steps
            that are small near zero, as in telephones, which have 8 bits.
            Defaults to `"linear"`.
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
        ValueError: If `bits` or `encoding` is not among these values.

    Examples:
        >>> layer = RandomQuantize(bits=3)
        >>> audio = np.array([-1.0, -0.4, 0.0, 0.2, 0.9], "float32")
        >>> (3 * keras.ops.convert_to_numpy(layer(audio))).round().tolist()
        [-3.0, -1.0, 0.0, 1.0, 3.0]

    References:
        ITU-T 1988, Recommendation G.711: pulse code modulation of voice
        frequencies.
    """

    def __init__(
        self,
        bits: int | tuple[int, int] = (6, 12),
        encoding: str = "linear",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.bits = one_or_range(self, "bits", bits, 2, 16, check=integer)
        self.encoding = one_of(self, "encoding", encoding, ("linear", "mu_law"))

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"levels": 2.0 ** (whole_number(self.bits, draw) - 1.0) - 1.0}

    def apply(self, inputs, parameters):
        levels = parameters["levels"]
        if self.encoding == "linear":
            result = quantize(inputs, levels)
        else:
            mu = 2.0 * levels + 1.0
            result = mu_law_undone(quantize(mu_law(inputs, mu), levels), mu)
        time = self.ops.shape(inputs)[1]
        valid = within(parameters["lengths"], time)
        return self.ops.where(valid, result, inputs)

from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, one_of
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._base import SpectrogramAugmentation
from keras_regopt.augmentation.audio.functional._spectrogram_warps import (
    frequency_warped,
    linear_scale,
    mel_scale,
)


@register
class RandomFrequencyWarp(SpectrogramAugmentation):
    """Makes the vocal tract of each speaker shorter or longer.

    Known as vocal tract length perturbation (VTLP): where a tract is shorter,
    all of its resonances are higher by one factor. A model of few speakers so
    hears more of them, at the cost of reading a spectrogram at other bins. It
    moves the pitch along. Each spectrogram draws its factor evenly. With
    `turn = boundary * highest * min(factor, 1)`,

        frequency' = factor * frequency, up to where this is `turn`,

    and from there a straight line leads to the highest frequency, which
    stays. Between two bins, values are interpolated. Labels do not change.

    Args:
        factor: By what frequencies are multiplied, from 0.5 to 2: above 1
            voices are higher. A number is the same for all, a pair
            `(lowest, highest)` a range. Defaults to `(0.9, 1.1)`.
        boundary: Up to which share of the highest frequency, between 0 and 1.
            Defaults to `0.6`, the 4,800 of 8,000 Hz of the paper.
        scale: How the frequencies of the bins rise: `"mel"` as in
            `keras.layers.MelSpectrogram`, `"linear"` from 0 in even steps, as
            in `keras.layers.STFTSpectrogram`. Defaults to `"mel"`.
        min_frequency: The `min_freq` of the mel spectrogram in Hz, at least 0.
            Defaults to `20.0`.
        max_frequency: Its `max_freq`, by default half the rate of the samples.
            Defaults to `8000.0`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a spectrogram changes at all),
            `bins_first`, and `name` and `dtype` of a Keras layer; see
            `SpectrogramAugmentation`.

    Input shape:
        `(time, bins)` or `(batch, time, bins)`, with `bins_first=True`
        `(bins, time)` or `(batch, bins, time)`, or a dict; see
        `SpectrogramAugmentation`. The number of bins must be known.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above, or if the
            number of bins is not known.

    Examples:
        >>> layer = RandomFrequencyWarp(factor=1.25, scale="linear")
        >>> tone = np.zeros((1, 9))
        >>> tone[0, 4] = 1.0
        >>> keras.ops.convert_to_numpy(layer(tone)).argmax(axis=1).tolist()
        [5]

    References:
        Jaitly and Hinton 2013, Vocal tract length perturbation (VTLP)
        improves speech recognition.
    """

    def __init__(
        self,
        factor: float | tuple[float, float] = (0.9, 1.1),
        boundary: float = 0.6,
        scale: str = "mel",
        min_frequency: float = 20.0,
        max_frequency: float = 8000.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.factor = one_or_range(self, "factor", factor, 0.5, 2)
        self.boundary = in_range(self, "boundary", boundary, above=0, below=1)
        self.scale = one_of(self, "scale", scale, ("mel", "linear"))
        self.min_frequency = in_range(self, "min_frequency", min_frequency, 0)
        self.max_frequency = in_range(
            self, "max_frequency", max_frequency, above=self.min_frequency
        )

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        factor = one_or_between(self.factor, draw)
        return {"factor": factor + self.ops.zeros_like(draw)}

    def apply(self, inputs, parameters):
        bins = inputs.shape[2]
        if bins is None:
            allowed = "of a number of bins that is known"
            fail(self, "spectrograms", allowed, tuple(inputs.shape))
        scale = linear_scale(bins)
        if self.scale == "mel":
            scale = mel_scale(bins, self.min_frequency, self.max_frequency)
        factor = parameters["factor"]
        return frequency_warped(inputs, factor, scale, self.boundary)

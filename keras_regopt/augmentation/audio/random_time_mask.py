from keras_regopt._registry import register
from keras_regopt._validate import factor, in_range, positive_int
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._spans import (
    gains_outside,
    sizes,
    spans,
)


@register
class RandomTimeMask(AudioAugmentation):
    """Silences spans of each clip.

    Teaches a model to go by more than the most telling part of a sound, and
    to bear dropouts of a connection. Each clip draws the sizes of its spans
    evenly, as shares of its length, and their places evenly among those where
    they lie within it, or within its `lengths`. Labels and `targets` stay as
    they are: a model that restores sound learns to fill the gaps.

    Args:
        size: How long a span is, as a share of the length of the clip, from 0
            to 1. A number is the largest share, and the range begins at 0; a
            pair is `(smallest, largest)`. Defaults to `0.2`.
        masks: How many spans there are, at least 1. They may overlap.
            Defaults to `1`.
        fade: Seconds for which the sound fades out and in within each end of
            a span, at most half of the span, so that there is no click.
            Defaults to `0.005`.
        sample_rate: Samples a second, a number > 0, for `fade`. Defaults to
            `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip loses anything),
            `channels`, and `name` and `dtype` of a Keras layer; see
            `AudioAugmentation`.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` another axis behind
        these, or a dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomTimeMask(size=(0.5, 0.5), fade=0.0)
        >>> clip = layer(np.ones(100, "float32"))
        >>> float(keras.ops.sum(clip))
        50.0

    References:
        DeVries and Taylor 2017, Improved regularization of convolutional
        neural networks with cutout (arXiv 1708.04552); Park et al. 2019,
        SpecAugment (arXiv 1904.08779).
    """

    def __init__(
        self,
        size: float | tuple[float, float] = 0.2,
        masks: int = 1,
        fade: float = 0.005,
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.size = factor(self, "size", size, 0, 1)
        self.masks = positive_int(self, "masks", masks)
        self.fade = in_range(self, "fade", fade, 0)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=0)

    def sample(self, shape, seed):
        draws = self.uniforms(2 * self.masks, shape[0], seed)
        size = self.ops.stack(draws[: self.masks], axis=1)
        place = self.ops.stack(draws[self.masks :], axis=1)
        return {"size": sizes(self.size, size), "place": place}

    def apply(self, inputs, parameters):
        start, end = spans(
            parameters["size"], parameters["place"], parameters["lengths"]
        )
        samples = self.fade * self.sample_rate
        count = self.ops.shape(inputs)[1]
        return inputs * gains_outside(count, start, end, samples)[..., None]

from keras_regopt._registry import register
from keras_regopt.augmentation._ranges import one_or_range
from keras_regopt.augmentation._sampling import one_or_between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._distortion import (
    clip,
    clipping_threshold,
)
from keras_regopt.augmentation.audio.functional._levels import within


@register
class RandomClipping(AudioAugmentation):
    """Cuts off the loudest samples of each clip.

    Teaches a model to bear recordings that were made too loud. The threshold
    is the magnitude that a share of the samples exceeds, of those that are
    valid and not zero, in all channels; what exceeds it becomes the threshold.
    `targets` and `lengths` do not change.

    Args:
        share: The share of the samples that is cut off, from 0 to 1. A pair
            `(lowest, highest)` is a range, from which each clip draws its
            own. Defaults to `(0.0, 0.2)`.
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
        ValueError: If `share` is out of bounds.

    Examples:
        >>> layer = RandomClipping(share=0.25)
        >>> audio = np.sin(np.arange(16000) / 10).astype("float32")
        >>> result = keras.ops.convert_to_numpy(layer(audio))
        >>> round(float((np.abs(result) < np.abs(audio)).mean()), 2)
        0.25

    References:
        Hansen, Stauffer and Xia 2021, Nonlinear waveform distortion: assessment
        and detection of clipping on speech data and systems.
    """

    def __init__(
        self,
        share: float | tuple[float, float] = (0.0, 0.2),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.share = one_or_range(self, "share", share, 0, 1)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"share": one_or_between(self.share, draw)}

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        threshold = clipping_threshold(inputs, parameters["share"], lengths)
        valid = within(lengths, ops.shape(inputs)[1])
        return ops.where(valid, clip(inputs, threshold), inputs)

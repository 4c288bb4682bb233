from keras_regopt._registry import register
from keras_regopt._validate import factor, in_range, one_of
from keras_regopt.augmentation._lengths import within
from keras_regopt.augmentation._sampling import between
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._times import (
    ends_faded,
    shifted,
)


@register
class RandomTimeShift(AudioAugmentation):
    """Moves each clip to an earlier or later time.

    Teaches a model not to depend on when a sound begins, as it must where
    words are cut out of a stream. Each clip draws its shift evenly, as a
    share of its length. What leaves at one end enters at the other, which
    keeps every sample, or is lost. Where inputs hold `lengths`, only valid
    samples move, and the padding behind them stays. `targets` move along.

    Args:
        shift: How far clips move, as a share of their length, from -1 to 1:
            above 0 they begin later. A number `f` is the range from `-f` to
            `f`. Defaults to `(-0.25, 0.25)`.
        mode: `"roll"` lets what leaves at one end enter at the other;
            `"pad"` fills in silence. Defaults to `"roll"`.
        fade: Seconds for which the sound fades out to its old end and in from
            its old begin, so that there is no click where these meet, or meet
            silence. Defaults to `0.0`.
        sample_rate: Samples a second, a number > 0, for `fade`. Defaults to
            `16000`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip moves at all),
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
        >>> layer = RandomTimeShift(shift=(0.25, 0.25))
        >>> clip = layer(np.arange(8) / 8)
        >>> (8 * keras.ops.convert_to_numpy(clip)).tolist()
        [6.0, 7.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    References:
        Salamon and Bello 2017, Deep convolutional neural networks and data
        augmentation for environmental sound classification.
    """

    targets = frozenset({"targets"})

    def __init__(
        self,
        shift: float | tuple[float, float] = (-0.25, 0.25),
        mode: str = "roll",
        fade: float = 0.0,
        sample_rate: float = 16000,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.shift = factor(self, "shift", shift, -1, 1)
        self.mode = one_of(self, "mode", mode, ("roll", "pad"))
        self.fade = in_range(self, "fade", fade, 0)
        self.sample_rate = in_range(self, "sample_rate", sample_rate, above=0)

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"shift": between(self.shift, draw)}

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        steps = parameters["shift"] * ops.cast(lengths, "float32")
        steps = ops.cast(ops.round(steps), "int32")
        wraps = self.mode == "roll"
        moved, source = shifted(inputs, steps, lengths, wraps)
        samples = self.fade * self.sample_rate
        if not samples:
            return moved
        faded = ends_faded(moved, source, lengths, samples)
        # A clip that does not move has no new ends, and padding has none.
        is_valid = within(lengths, ops.shape(inputs)[1])
        is_moved = ops.logical_and(steps[:, None] != 0, is_valid)
        return ops.where(is_moved[..., None], faded, moved)

from keras_regopt._registry import register
from keras_regopt._validate import one_of, positive_int
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._times import cut


@register
class RandomAudioCrop(AudioAugmentation):
    """Cuts a piece of a fixed length out of each clip, at a random time.

    Teaches a model not to depend on when things are heard, and gives clips of
    different lengths the same one. Every time at which the piece fits is
    equally likely. Where inputs hold `lengths`, the piece is cut out of what
    is valid, and `lengths` say how much of it is. `targets` are cut along.

    In inference, and for the clips that `rate` spares, it is the piece in the
    middle. A clip that is too short is heard from its begin, and filled up
    behind its end.

    Args:
        length: Length of the piece in samples, at least 1.
        fill_mode: What follows on clips that are too short: `"constant"` is
            silence, `"wrap"` the clip from its begin, again and again.
            Defaults to `"constant"`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a clip is cut at a random
            time), `channels`, and `name` and `dtype` of a Keras layer; see
            `AudioAugmentation`.

    Input shape:
        `(time,)` or `(batch, time)`, with `channels=True` another axis behind
        these, or a dict; see `AudioAugmentation`.

    Output shape:
        That of the inputs, with `length` as the time.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = RandomAudioCrop(length=3)
        >>> layer(np.zeros((2, 16000), "float32")).shape == (2, 3)
        True
        >>> middle = layer(np.arange(5) / 8, training=False)
        >>> (8 * keras.ops.convert_to_numpy(middle)).tolist()
        [1.0, 2.0, 3.0]
    """

    targets = frozenset({"targets", "lengths"})
    acts_in_inference = True

    def __init__(
        self,
        length: int,
        fill_mode: str = "constant",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.length = positive_int(self, "length", length)
        modes = ("constant", "wrap")
        self.fill_mode = one_of(self, "fill_mode", fill_mode, modes)

    def sample(self, shape, seed):
        (place,) = self.uniforms(1, shape[0], seed)
        return {"place": place}

    def inference_parameters(self, shape):
        return {"place": 0.5 * self.ops.ones((shape[0],))}

    def output_length(self, length):
        return self.length

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        room = ops.cast(ops.maximum(lengths - self.length, 0), "float32")
        start = ops.minimum(ops.floor(parameters["place"] * (room + 1)), room)
        start = ops.cast(start, "int32")
        repeats = self.fill_mode == "wrap"
        return cut(inputs, start, lengths, self.length, repeats)

    def apply_to_lengths(self, lengths, parameters, shape):
        most = self.ops.full_like(lengths, self.length)
        if self.fill_mode == "wrap":
            return most
        return self.ops.minimum(lengths, most)

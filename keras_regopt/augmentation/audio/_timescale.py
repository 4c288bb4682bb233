from keras_regopt._keras import data_ops as ops
from keras_regopt._validate import in_range
from keras_regopt.augmentation._batch import select
from keras_regopt.augmentation._lengths import within
from keras_regopt.augmentation.audio._base import AudioAugmentation
from keras_regopt.augmentation.audio.functional._timescale import (
    NONE,
    rescaled,
)

# What is sampled, from earthquakes to bats.
LOWEST_RATE, HIGHEST_RATE = 100, 1_000_000

# Ends are whole numbers but for this share.
ROUNDING = 1e-6


class TimescaleAugmentation(AudioAugmentation):
    """Base of the augmentations that play clips faster or higher.

    A subclass writes `sample`, which returns a dict of `"pace"`, how many
    times faster each clip is, and `"pitch"`, how many times higher; and
    `tempos` and `pitches`, the lowest and the highest that `pace / pitch` and
    `pitch` can be. One that changes `pace / pitch` has a `sample_rate`.

    The output is as long as the input: what is longer is cut, and what is
    shorter is followed by silence. Neighbours in a pipeline are one vocoder
    and one resampling, and nothing is cut between them.

    Args:
        **kwargs: `channels` and `value_range` of `AudioAugmentation`, `rate`
            and `seed`, and `name` and `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among these values.
    """

    targets = frozenset({"targets", "lengths"})
    compiles_small = True

    # Samples a second, where that is known.
    sample_rate: float | None = None

    tempos = NONE
    pitches = NONE

    def apply(self, inputs, parameters):
        check_length(self, inputs)
        pace, pitch = parameters["pace"], parameters["pitch"]
        lengths = parameters["lengths"]
        result = rescaled(
            ops.cast(silent_beyond(inputs, lengths), "float32"),
            pace,
            pitch,
            self.tempos,
            self.pitches,
            self.sample_rate,
        )
        ends = self.apply_to_lengths(lengths, parameters, inputs.shape)
        result = silent_beyond(ops.cast(result, inputs.dtype), ends)
        changes = ops.logical_or(pace != 1.0, pitch != 1.0)
        return select(changes, result, inputs)

    def apply_to_lengths(self, lengths, parameters, shape):
        ends = ops.cast(lengths, "float32") / parameters["pace"]
        ends = ops.cast(ops.ceil(ends * (1 - ROUNDING)), "int32")
        return ops.minimum(ends, ops.cast(shape[1], "int32"))

    def draw(self, shape, training, seed=None, among=None):
        parameters, chosen = super().draw(shape, training, seed, among)
        if chosen is None:
            return parameters, None
        # At the pace and the pitch that they have, clips leave as they are.
        return {
            name: select(chosen, drawn, ops.ones_like(drawn))
            for name, drawn in parameters.items()
        }, None

    def merging_key(self):
        policy = self.dtype_policy.name
        return "timescale", policy, self.channels, self.value_range

    def merged_with(self, others):
        return _Merged([self, *others])


class _Merged(TimescaleAugmentation):
    """Several layers that follow one another, as one."""

    def __init__(self, leaves):
        first = leaves[0]
        super().__init__(
            channels=first.channels,
            value_range=first.value_range,
            dtype=first.dtype_policy,
        )
        self.tempos = _products(leaf.tempos for leaf in leaves)
        self.pitches = _products(leaf.pitches for leaf in leaves)
        rates = (leaf.sample_rate for leaf in leaves)
        self.sample_rate = next(filter(None, rates), None)

    def merged_parameters(self, parameters):
        merged = dict(parameters[0])
        for drawn in parameters[1:]:
            merged = {name: merged[name] * drawn[name] for name in merged}
        return merged


def checked_sample_rate(layer, value):
    """The argument `sample_rate` of a layer.

    Raises:
        ValueError: If it is no number from 100 to 1,000,000.
    """
    return in_range(layer, "sample_rate", value, LOWEST_RATE, HIGHEST_RATE)


def check_length(layer, inputs):
    """Refuses clips whose length is not known where a graph is built."""
    if inputs.shape[1] is None:
        raise ValueError(
            f"{type(layer).__name__} must know the length of the {layer.key} "
            f"when its graph is built. Received: shape={tuple(inputs.shape)}. "
            "Pad or cut the clips to one length, and tell it: "
            "`tf.ensure_shape(audio, (None, length))`."
        )


def silent_beyond(clips, lengths):
    """Clips with zeros behind their valid samples.

    Args:
        clips: Tensor of shape `(batch, time, channels)`.
        lengths: Int32 tensor of shape `(batch,)`.

    Returns:
        A tensor like `clips`.
    """
    valid = within(lengths, clips.shape[1])[..., None]
    return ops.where(valid, clips, ops.zeros_like(clips))


def extremes(amount):
    """The lowest and the highest of an argument that is one or a pair."""
    low, high = amount if isinstance(amount, tuple) else (amount, amount)
    return float(low), float(high)


def _products(pairs):
    low, high = NONE
    for pair in pairs:
        low, high = low * pair[0], high * pair[1]
    return low, high

import keras

from keras_regopt._validate import boolean
from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._base import RandomAugmentation
from keras_regopt.augmentation._layout import Layout
from keras_regopt.augmentation._lengths import Lengths, lengths_of
from keras_regopt.augmentation.audio._kind import SPECTROGRAMS, WAVEFORMS
from keras_regopt.augmentation.audio._targets import TARGETS

# More channels than that are taken for samples.
MOST_CHANNELS = 64


class AudioAugmentation(RandomAugmentation):
    """Base of the random augmentations of waveforms.

    Takes clips of shape `(time,)` or, with `channels=True`, `(time,
    channels)`, or batches of them; or a dict with the key `audio`. In such a
    dict, `lengths` says how many samples of each clip are valid, and
    `targets` is another waveform of the same shape, such as the speech
    without the noise: what stretches, shifts or cuts the audio does the same
    to it, what disturbs or colors the audio leaves it. Every other key passes
    untouched.

    Float waveforms leave in the compute dtype of the layer, integers in their
    own, rounded and held within its bounds.

    To `sample` and `apply`, waveforms are batched, of shape `(batch, time,
    channels)`, float32 and from -1 to 1, whatever they were. Besides what
    `sample` returned, the parameters hold `"lengths"`, an int32 tensor of
    shape `(batch,)`: draw shares in `sample`, and multiply them by the lengths
    in `apply`.

    A subclass that moves things in time sets `targets = {"targets"}`, or
    `{"targets", "lengths"}` and writes `apply_to_lengths`. One whose output
    has another length than its input writes `output_length` and
    `inference_parameters`, too, and sets `acts_in_inference`.

    Args:
        channels: Whether the last axis is that of channels. Defaults to
            `False`: there is one channel and no such axis.
        value_range: The pair of the lowest and the highest value that a
            sample can have, as far from 0. Defaults to `(-1.0, 1.0)`; for
            samples of 16 bits it is `(-32768, 32768)`.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among these values.
    """

    key = "audio"
    kind = WAVEFORMS
    target_kinds = {**RandomAugmentation.target_kinds, **TARGETS}
    context_keys = ("lengths",)

    # Recordings may overshoot a little.
    range_tolerance = 0.25

    def __init__(
        self,
        *,
        channels: bool = False,
        value_range: tuple[float, float] = (-1.0, 1.0),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.channels = boolean(self, "channels", channels)
        self.value_range = checked_range(self, value_range)
        self.element_rank = 2 if channels else 1
        self.lacks_channels = not channels
        self.unit = max(map(abs, self.value_range))

    def read(self, inputs):
        data = super().read(inputs)
        self._check(data[self.key])
        return data

    def resolve(self, inputs, parameters, context):
        return {**parameters, "lengths": lengths_of(inputs, context)}

    def apply_to_targets(self, targets, parameters):
        """What becomes of the target waveforms of a batch.

        Args:
            targets: Float32 tensor of shape `(batch, time, channels)`.
            parameters: What `sample` returned, and `"lengths"`.

        Returns:
            A tensor such as `apply` returns; here, what `apply` does.
        """
        return self.apply(targets, parameters)

    def apply_to_lengths(self, lengths, parameters, shape):
        """What becomes of the valid lengths of a batch; here, nothing.

        Args:
            lengths: Int32 tensor of shape `(batch,)`.
            parameters: What `sample` returned, and `"lengths"`.
            shape: What `sample` got.

        Returns:
            A tensor like `lengths`.
        """
        return lengths

    def output_length(self, length):
        """The length of an output; here, that of the input.

        Args:
            length: The length of the input: an integer, `None` if it is not
                known, or a scalar tensor.
        """
        return length

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        axis = len(shape) - self.element_rank
        shape[axis] = self.output_length(shape[axis])
        return tuple(shape)

    def output_shape(self, shape):
        return (shape[0], self.output_length(shape[1]), *shape[2:])

    def transform_targets(self, targets, parameters):
        """What becomes of target waveforms, from their dtype to the output."""
        layout = Layout(self, targets)
        moved = self.apply_to_targets(layout.to_compute(targets), parameters)
        return layout.to_output(moved)

    def _check(self, audio):
        """Refuses integers in the wrong range, and channels in front."""
        name = type(self).__name__
        dtype = keras.backend.standardize_dtype(audio.dtype)
        if not keras.backend.is_float_dtype(dtype) and self.unit <= 1:
            raise ValueError(
                f"The audio of {name} must be floats from -1 to 1. Received: "
                f"dtype={dtype}. Divide samples of 16 bits by 32768, "
                "`x / 32768`, or set `value_range=(-32768, 32768)`."
            )
        shape = tuple(audio.shape)
        channels = shape[-1] if self.channels else 0
        if channels is not None and channels > MOST_CHANNELS:
            raise ValueError(
                f"The audio of {name} must be of shape (batch, time, "
                f"channels) or (time, channels), with at most {MOST_CHANNELS} "
                f"channels. Received: shape={shape}. If the channels are in "
                "front of the time, transpose it: "
                "`keras.ops.swapaxes(x, -1, -2)`."
            )


class SpectrogramAugmentation(RandomAugmentation):
    """Base of the random augmentations of spectrograms.

    Takes spectrograms of shape `(time, bins)` or, with `bins_first=True`,
    `(bins, time)`, or batches of them; or a dict with the key `spectrograms`,
    in which `lengths` says how many frames of each are valid. Every other key
    passes untouched.

    To `sample` and `apply`, spectrograms are batched, of shape `(batch, time,
    bins)`, and float32. Besides what `sample` returned, the parameters hold
    `"lengths"`, an int32 tensor of shape `(batch,)`.

    Args:
        bins_first: Whether the axis of the bins comes before that of the time,
            as in the output of `keras.layers.MelSpectrogram`. Defaults to
            `False`.
        **kwargs: `rate` and `seed` of `RandomAugmentation`, and `name` and
            `dtype` of a Keras layer.

    Raises:
        ValueError: If an argument is not among these values.
    """

    key = "spectrograms"
    element_rank = 2
    kind = SPECTROGRAMS
    target_kinds = {**RandomAugmentation.target_kinds, "lengths": Lengths()}
    context_keys = ("lengths",)

    def __init__(self, *, bins_first: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.bins_first = boolean(self, "bins_first", bins_first)
        self.last_axis_first = bins_first

    def resolve(self, inputs, parameters, context):
        return {**parameters, "lengths": lengths_of(inputs, context)}

    def apply_to_lengths(self, lengths, parameters, shape):
        """What becomes of the valid lengths of a batch; here, nothing."""
        return lengths

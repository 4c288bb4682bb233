from keras_regopt._registry import register
from keras_regopt._validate import factor, in_range, integer, one_of
from keras_regopt.augmentation._lengths import within
from keras_regopt.augmentation.audio._base import SpectrogramAugmentation
from keras_regopt.augmentation.audio.functional._spans import (
    in_spans,
    sizes,
    spans,
)
from keras_regopt.augmentation.audio.functional._spectrogram_warps import (
    time_warped,
)

# More than half, and the frame that moves could leave the spectrogram.
MOST_WARP = 0.5


@register
class SpecAugment(SpectrogramAugmentation):
    """Masks frames and bands of frequencies of each spectrogram.

    The usual augmentation of speech recognition, since it costs next to
    nothing and needs no sound: a model must go by what is left. Each
    spectrogram draws, for each of its masks, a size evenly and then a place
    evenly among those where the mask lies within it. Before that, with
    `warp`, one frame moves to an earlier or later time, and those on either
    side are spread out or drawn together on straight lines; the first and the
    last frame stay.

    Everything is measured by `lengths`, where inputs hold such: masks of time
    are shares of the valid frames, and frames behind these stay as they are.
    Labels do not change.

    Args:
        time_masks: How many masks of time there are, at least 0. They may
            overlap. Defaults to `2`.
        time_mask_size: How long such a mask is, as a share of the valid
            frames, from 0 to 1. A number is the largest share, and the range
            begins at 0; a pair is `(smallest, largest)`. Defaults to `0.1`.
        frequency_masks: How many masks of frequency there are, at least 0.
            Defaults to `2`.
        frequency_mask_size: How high such a mask is, as a share of the bins,
            likewise. Defaults to `0.2`.
        warp: How far a frame moves, as a share of the valid frames, from 0 to
            0.5; the paper has 80 frames, which it found to matter least.
            Defaults to `0.0`.
        fill_mode: What is in a mask: `"mean"` is the mean of the spectrogram
            over its valid frames, `"constant"` is `fill_value`. Defaults to
            `"mean"`.
        fill_value: The value for `"constant"`, in the units of the
            spectrograms. Zeros are silence only where these are energies: in
            decibels, or in logarithms, they are loud. Defaults to `0.0`.
        seed: Integer that fixes all draws. Defaults to `None`.
        **kwargs: `rate` (the probability that a spectrogram changes at all),
            `bins_first`, and `name` and `dtype` of a Keras layer; see
            `SpectrogramAugmentation`.

    Input shape:
        `(time, bins)` or `(batch, time, bins)`, with `bins_first=True`
        `(bins, time)` or `(batch, bins, time)`, or a dict; see
        `SpectrogramAugmentation`.

    Output shape:
        That of the inputs.

    Raises:
        ValueError: If an argument is not among the values above.

    Examples:
        >>> layer = SpecAugment(
        ...     time_masks=1,
        ...     time_mask_size=(0.5, 0.5),
        ...     frequency_masks=0,
        ...     fill_mode="constant",
        ... )
        >>> float(keras.ops.sum(layer(np.ones((10, 4)))))
        20.0

    References:
        Park et al. 2019, SpecAugment: A simple data augmentation method for
        automatic speech recognition (arXiv 1904.08779); Park et al. 2020,
        SpecAugment on large scale datasets (arXiv 1912.05533), for masks that
        are shares of the length.
    """

    def __init__(
        self,
        time_masks: int = 2,
        time_mask_size: float | tuple[float, float] = 0.1,
        frequency_masks: int = 2,
        frequency_mask_size: float | tuple[float, float] = 0.2,
        warp: float = 0.0,
        fill_mode: str = "mean",
        fill_value: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.time_masks = integer(self, "time_masks", time_masks, low=0)
        self.time_mask_size = factor(
            self, "time_mask_size", time_mask_size, 0, 1
        )
        self.frequency_masks = integer(
            self, "frequency_masks", frequency_masks, low=0
        )
        self.frequency_mask_size = factor(
            self, "frequency_mask_size", frequency_mask_size, 0, 1
        )
        self.warp = in_range(self, "warp", warp, 0, MOST_WARP)
        modes = ("mean", "constant")
        self.fill_mode = one_of(self, "fill_mode", fill_mode, modes)
        self.fill_value = in_range(self, "fill_value", fill_value)

    def sample(self, shape, seed):
        masks = self.time_masks + self.frequency_masks
        draws = self.uniforms(2 * masks + 2, shape[0], seed)
        *draws, center, shift = draws
        parameters = {
            # So that the frame stays within the spectrogram.
            "center": self.warp + (1 - 2 * self.warp) * center,
            "shift": self.warp * (2 * shift - 1),
        }
        for name, count, size in (
            ("time", self.time_masks, self.time_mask_size),
            ("frequency", self.frequency_masks, self.frequency_mask_size),
        ):
            if count:
                mine, draws = draws[: 2 * count], draws[2 * count :]
                drawn = self.ops.stack(mine[:count], axis=1)
                parameters[f"{name}_size"] = sizes(size, drawn)
                place = self.ops.stack(mine[count:], axis=1)
                parameters[f"{name}_place"] = place
        return parameters

    def apply(self, inputs, parameters):
        ops, lengths = self.ops, parameters["lengths"]
        if self.warp:
            center, shift = parameters["center"], parameters["shift"]
            inputs = time_warped(inputs, center, shift, lengths)
        _, frames, bins = ops.shape(inputs)
        is_valid = within(lengths, frames)[..., None]
        fill = self._fill(inputs, is_valid)
        if self.time_masks:
            gone = self._masks("time", frames, lengths, parameters)
            gone = ops.logical_and(gone[..., None], is_valid)
            inputs = ops.where(gone, fill, inputs)
        if self.frequency_masks:
            bands = ops.ones_like(lengths) * bins
            gone = self._masks("frequency", bins, bands, parameters)
            gone = ops.logical_and(gone[:, None, :], is_valid)
            inputs = ops.where(gone, fill, inputs)
        return inputs

    def _masks(self, name, count, lengths, parameters):
        """Which frames or bins are masked."""
        size, place = parameters[f"{name}_size"], parameters[f"{name}_place"]
        return in_spans(count, *spans(size, place, lengths))

    def _fill(self, spectrograms, is_valid):
        """What masks are filled with, broadcast to the spectrograms."""
        ops = self.ops
        if self.fill_mode == "constant":
            return ops.convert_to_tensor(self.fill_value, spectrograms.dtype)
        total = ops.sum(
            ops.where(is_valid, spectrograms, 0.0), axis=(1, 2), keepdims=True
        )
        count = ops.sum(ops.cast(is_valid, "float32"), axis=1, keepdims=True)
        bins = ops.shape(spectrograms)[2]
        return total / (ops.maximum(count, 1.0) * ops.cast(bins, "float32"))

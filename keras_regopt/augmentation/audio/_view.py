"""Pictures of sound: waveforms over spectrograms, and spectrograms alone."""

import numpy as np

from keras_regopt._validate import value_range as checked_range
from keras_regopt.augmentation._view import View, arrays, known

# Inches of one picture.
_WIDTH, _HEIGHT = 2.4, 1.8

# From black to white, in decibels.
_RANGE = 80

# The part of a picture that the spectrogram takes; above it is the waveform.
_LOWER = 0.6

_COLOR, _END = "#0072B2", "#D55E00"


class AudioView(View):
    """How clips are drawn: the waveform, and its spectrogram below."""

    key = "audio"
    drawn = ("audio", "labels", "lengths")
    ranks = (2, 3)
    options = ("class_names",)

    def __init__(self, owner, parts, data, options):
        super().__init__(owner, parts, data, options)
        self.has_channels = arrays(data["audio"]).ndim == 3

    def cell(self, columns):
        return [_WIDTH] * len(columns), _HEIGHT

    def draw(self, axes, element, original, columns):
        waves = [self._mono(c["audio"]) for c in columns]
        longest = max(wave.shape[1] for wave in waves)
        wave = self._mono(element["audio"][None])[0]
        power = _power(wave)
        # A louder draw is brighter, and its waveform wider.
        loudest = _power(self._mono(original["audio"][None])[0]).max()
        decibels = 10 * np.log10(np.maximum(power / max(loudest, 1e-9), 1e-12))
        axes.imshow(
            decibels,
            cmap="magma",
            vmin=-_RANGE,
            vmax=0,
            origin="lower",
            aspect="auto",
            extent=(0, len(wave), 0, _LOWER),
        )
        peak = max(max(np.abs(w).max() for w in waves), 1e-9)
        middle, half = (1 + _LOWER) / 2, 0.48 * (1 - _LOWER)
        axes.plot(
            np.arange(len(wave)) + 0.5,
            middle + half * wave / peak,
            color=_COLOR,
            linewidth=0.4,
        )
        if "lengths" in element and element["lengths"] < len(wave):
            axes.axvline(element["lengths"], color=_END, linewidth=1)
        axes.set_xlim(0, longest)
        axes.set_ylim(0, 1)

    def _mono(self, audio):
        audio = np.asarray(audio, "float64")
        return audio.mean(axis=-1) if self.has_channels else audio


class SpectrogramView(View):
    """How spectrograms are drawn: time to the right, frequencies upwards."""

    key = "spectrograms"
    drawn = ("spectrograms", "labels", "lengths")
    ranks = (3,)
    options = ("value_range", "class_names")

    def __init__(self, owner, parts, data, options):
        super().__init__(owner, parts, data, options)
        spectrograms = arrays(data["spectrograms"])
        values = options["value_range"]
        if values is None:
            values = spectrograms.min(), spectrograms.max()
        else:
            values = checked_range(owner, values)
        self.values = values
        self.bins_first = bool(known(parts, "bins_first"))

    def cell(self, columns):
        return [_WIDTH] * len(columns), _LOWER * _HEIGHT

    def draw(self, axes, element, original, columns):
        picture = np.asarray(element["spectrograms"], "float64")
        picture = picture if self.bins_first else picture.T
        bins, frames = picture.shape
        axes.imshow(
            picture,
            cmap="magma",
            vmin=self.values[0],
            vmax=self.values[1],
            origin="lower",
            aspect="auto",
            extent=(0, frames, 0, bins),
        )
        if "lengths" in element and element["lengths"] < frames:
            axes.axvline(element["lengths"], color=_END, linewidth=1)


def _power(wave):
    """The power of a waveform, of shape `(bins, frames)`."""
    # About two hundred columns, whatever the length.
    step = max(len(wave) // 200, 16)
    size = 2 ** int(np.clip(np.ceil(np.log2(3 * step)), 5, 10))
    padded = np.pad(wave, (size // 2, size // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    return np.abs(np.fft.rfft(frames * np.hanning(size))).T ** 2

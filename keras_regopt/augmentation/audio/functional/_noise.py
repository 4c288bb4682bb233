"""White, pink and brown noise, every sample a hash of a key and its index."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_foreign_tf_graph
from keras_regopt._random import normals_of
from keras_regopt.augmentation._noise import bits
from keras_regopt.augmentation.audio.functional._levels import (
    add_at_snr,
    add_with_power,
    amplitude,
)
from keras_regopt.augmentation.audio.functional._spectra import (
    fft_size,
    frequencies,
)

# How the amplitude falls with the frequency: by its power.
COLORS = {"white": 0.0, "pink": 0.5, "brown": 1.0}

# Below this, in Hz, nobody hears, but most of brown noise would be there.
LOWEST = 20.0


def noise_of(keys, color, time, channels, sample_rate):
    """Noise of one color.

    Args:
        keys: Int32 tensor of shape `(batch,)`.
        color: A key of `COLORS`.
        time: The number of samples, an integer or a scalar tensor.
        channels: The number of channels, likewise.
        sample_rate: Samples a second.

    Returns:
        Float32 tensor of shape `(batch, time, channels)`, of no certain
        level.
    """
    if color == "white":
        noise = normals(keys, time * channels)
        return ops.reshape(noise, (-1, time, channels))
    size = fft_size(time)
    count = size // 2 + 1
    # Drawn as a spectrum, the noise needs one transform and not two.
    parts = normals(keys, 2 * channels * count)
    parts = ops.reshape(parts, (-1, 2, channels, count))
    weights = _weights(frequencies(size) * sample_rate, COLORS[color])
    spectrum = (parts[:, 0] * weights, parts[:, 1] * weights)
    noise = ops.irfft(spectrum, fft_length=size)[:, :, :time]
    noise = ops.transpose(noise, (0, 2, 1))
    return ops.reshape(noise, (-1, time, channels))


def add_noise(waves, keys, lengths, decibels, is_level, color, sample_rate):
    """Waveforms with noise, of which what is not valid stays as it is.

    Args:
        waves: Float32 tensor of shape `(batch, time, channels)`.
        keys: Int32 tensor of shape `(batch,)`.
        lengths: Int32 tensor of shape `(batch,)`, the valid samples.
        decibels: Float32 tensor of shape `(batch,)`.
        is_level: Whether these are the level of the noise, or else the ratio
            of the power of the waveform to that of the noise.
        color: A key of `COLORS`.
        sample_rate: Samples a second.

    Returns:
        A tensor like `waves`.
    """
    native = _native(waves)
    if native is not None and color == "white":
        return native.add_white(waves, keys, lengths, decibels, is_level)
    _, time, channels = ops.shape(waves)
    noise = noise_of(keys, color, time, channels, sample_rate)
    if not is_level:
        return add_at_snr(waves, noise, decibels, lengths)
    return add_with_power(waves, noise, amplitude(2.0 * decibels), lengths)


def normals(keys, count):
    """Normal numbers, `count` for each of the keys, `(batch, count)`."""
    native = _native(keys)
    if native is not None:
        return native.normals(keys, count)
    return normals_of(bits(keys, count))


def _native(tensor):
    """The module that computes on torch, where that is quicker, or `None`."""
    if keras.backend.backend() != "torch" or in_foreign_tf_graph():
        return None
    from keras_regopt.augmentation.audio.functional import _noise_on_torch

    quicker = _noise_on_torch.can_go_by_pieces(tensor)
    return _noise_on_torch if quicker else None


def _weights(hertz, exponent):
    """The amplitude at each frequency: none below the lowest."""
    heard = hertz >= LOWEST
    return ops.where(
        heard, ops.where(heard, hertz / LOWEST, 1.0) ** -exponent, 0.0
    )

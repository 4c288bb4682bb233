"""White, pink and brown noise, every sample a hash of a key and its index."""

from keras_regopt._keras import data_ops as ops
from keras_regopt._random import normals_of
from keras_regopt.augmentation.audio.functional._spectra import (
    fft_size,
    frequencies,
)
from keras_regopt.augmentation.image._noise import bits

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
        noise = normals_of(bits(keys, time * channels))
        return ops.reshape(noise, (-1, time, channels))
    size = fft_size(time)
    count = size // 2 + 1
    # Drawn as a spectrum, the noise needs one transform and not two.
    normals = normals_of(bits(keys, 2 * channels * count))
    normals = ops.reshape(normals, (-1, 2, channels, count))
    weights = _weights(frequencies(size) * sample_rate, COLORS[color])
    spectrum = (normals[:, 0] * weights, normals[:, 1] * weights)
    noise = ops.irfft(spectrum, fft_length=size)[:, :, :time]
    noise = ops.transpose(noise, (0, 2, 1))
    return ops.reshape(noise, (-1, time, channels))


def _weights(hertz, exponent):
    """The amplitude at each frequency: none below the lowest."""
    heard = hertz >= LOWEST
    return ops.where(
        heard, ops.where(heard, hertz / LOWEST, 1.0) ** -exponent, 0.0
    )

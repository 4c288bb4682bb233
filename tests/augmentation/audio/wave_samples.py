"""Waveforms for tests, and how strong they are."""

import numpy as np
from keras import ops

SAMPLE_RATE = 16000


def noise(*shape, level=0.1, seed=0):
    """White noise of a root mean square."""
    random = np.random.default_rng(seed)
    return (level * random.normal(size=shape)).astype("float32")


def impulse(size):
    """One clip of silence behind a first sample of 1."""
    wave = np.zeros((1, size), "float32")
    wave[0, 0] = 1.0
    return wave


def called(layer, wave, lengths=None, **others):
    """What a layer makes of waveforms, as an array of doubles."""
    if lengths is None and not others:
        return as_doubles(layer(wave, training=True))
    inputs = {"audio": wave, **others}
    if lengths is not None:
        inputs["lengths"] = np.array(lengths, "int32")
    outputs = layer(inputs, training=True)
    if not others:
        return as_doubles(outputs["audio"])
    return {key: as_doubles(value) for key, value in outputs.items()}


def as_doubles(tensor):
    return ops.convert_to_numpy(tensor).astype("float64")


def decibels(ratio_of_powers):
    return 10 * np.log10(ratio_of_powers)


def power(wave):
    return np.mean(np.square(wave, dtype="float64"))


def spectrum_of(layer, size=16000):
    """Frequencies in Hz, and the response of a layer in decibels."""
    response = np.fft.rfft(called(layer, impulse(size))[0])
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    return hertz, 20 * np.log10(np.maximum(np.abs(response), 1e-8))

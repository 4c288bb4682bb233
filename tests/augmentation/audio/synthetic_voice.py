"""A voice whose stretch is known, and how far apart two sounds are."""

import numpy as np

RATE = 16000
MEL_BANDS = 40
WINDOW = 512
# What is so much quieter than the loudest does not count, in decibels.
RANGE = 60


def voice(tempo, seconds=3.0):
    """Harmonics of a gliding pitch in gliding formants, at any tempo.

    Args:
        tempo: How much faster than at 1.
        seconds: How long it takes at a tempo of 1.

    Returns:
        A float32 array.
    """
    time = np.arange(int(seconds * RATE / tempo)) / RATE * tempo
    pitch = 120 + 40 * _sine(0.9, time) + 15 * _sine(5, time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = (
        (500 + 250 * _sine(1.3, time), 90, 1.0),
        (1500 + 500 * _sine(0.7, time), 120, 0.5),
        (2600, 180, 0.25),
        (3500, 250, 0.1),
    )
    sound = np.zeros(len(time))
    for number in range(1, 45):
        frequency = number * pitch
        levels = (
            level / (1 + ((frequency - center) / width) ** 2)
            for center, width, level in formants
        )
        audible = frequency < 7500
        sound += audible * sum(levels) * np.cos(number * phase)
    syllables = np.clip(3 * _sine(1.7, time), 0, 1)
    return (0.4 * sound * syllables / np.abs(sound).max()).astype("float32")


def distance(sound, reference):
    """The distance of two sounds in decibels, where the second is loud.

    Args:
        sound: Array of samples.
        reference: Another one.

    Returns:
        The root of the mean square over mel bands and time.
    """
    size = min(len(sound), len(reference))
    levels, wanted = (_mel_levels(x[:size]) for x in (sound, reference))
    lowest = wanted.max() - RANGE
    levels, wanted = (np.maximum(x, lowest) for x in (levels, wanted))
    loud = wanted.max(axis=0) > lowest + 10
    return np.sqrt(np.mean((levels - wanted)[:, loud] ** 2))


def tone(frequency, samples, rate=RATE):
    """A sine of amplitude 0.5."""
    time = np.arange(samples) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * time)).astype("float32")


def frequency_of(sound, rate=RATE):
    """The frequency of a sine, to a hundredth of one over its duration."""
    sound = sound.astype("float64")
    sound = sound * np.hanning(len(sound) + 1)[:-1]
    levels = np.log(np.abs(np.fft.rfft(sound)) + 1e-12)
    peak = levels.argmax()
    low, top, high = levels[peak - 1 : peak + 2]
    place = peak + 0.5 * (low - high) / (low - 2 * top + high)
    return place * rate / len(sound)


def decibels(ratio):
    return 10 * np.log10(ratio)


def _sine(frequency, time):
    return np.sin(2 * np.pi * frequency * time)


def _mel_levels(sound, hop=64):
    sound = np.pad(sound, WINDOW // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::hop]
    spectra = np.fft.rfft(pieces * np.hanning(WINDOW + 1)[:-1])
    return decibels(_mel_bands() @ (np.abs(spectra) ** 2).T + 1e-7)


def _mel_bands():
    highest = 1127 * np.log1p(RATE / 2 / 700)
    edges = 700 * np.expm1(np.linspace(0, highest, MEL_BANDS + 2) / 1127)
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    low, middle, high = (edges[i : i + MEL_BANDS, None] for i in range(3))
    rising, falling = (
        (bins - low) / (middle - low),
        (high - bins) / (high - middle),
    )
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)

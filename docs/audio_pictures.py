"""Draws what each audio augmentation does, for the gallery."""

import inspect
import pathlib

import keras
import numpy as np
import scipy.signal

from keras_regopt import augmentation as a
from keras_regopt._registry import registered

DRAWS = 3
RATE = 16000

# Frequencies of the resonances of three vowels, in hertz.
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240))

# Arguments without which there is no layer, or little to see.
ARGUMENTS = {
    "AudioCutMix": lambda: {"num_classes": 2},
    "AudioMixUp": lambda: {"num_classes": 2, "alpha": 1.0},
    "RandomAudioChannelShuffle": lambda: {"channels": True},
    "RandomAudioCrop": lambda: {"length": RATE // 2},
    "RandomBackgroundNoise": lambda: {"noises": rain(), "snr": (0.0, 10.0)},
    "RandomClipping": lambda: {},
    "RandomFrequencyWarp": lambda: {"factor": (0.8, 1.25)},
    "RandomNoise": lambda: {"snr": (0.0, 20.0)},
    "RandomShortNoises": lambda: {"noises": rain()[: RATE // 10]},
    "RandomTimeMask": lambda: {"size": (0.1, 0.3)},
    "SpecAugment": lambda: {"warp": 0.1},
}


def draw(directory):
    """Writes one picture for each layer, and a page that shows them all.

    Args:
        directory: Where to write; it is made if it is not there.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    parts = []
    for cls in audio_layers():
        a.visualize(
            sample(cls),
            sounds(cls),
            DRAWS,
            class_names=("voice", "tone"),
            path=directory / f"{cls.__name__}.png",
        )
        parts += [
            f"## {cls.__name__}",
            inspect.getdoc(cls).partition("\n\n")[0],
            f"![What {cls.__name__} makes of a sound]({cls.__name__}.png)",
        ]
    (directory / "audio.txt").write_text("\n\n".join(parts) + "\n")


def audio_layers():
    """The layers that are shown, in the order of their names."""
    found = registered(a.AudioAugmentation)
    return [*found, *registered(a.SpectrogramAugmentation)]


def sample(cls):
    """The layer that is shown of a class, with its draws fixed."""
    arguments = ARGUMENTS.get(cls.__name__, dict)()
    if "seed" in inspect.signature(cls).parameters:
        arguments["seed"] = 1
    return cls(**arguments)


def sounds(cls):
    """What a layer of a class gets: one sound, or two where it mixes."""
    audio = np.stack([voice(), tone()])
    if issubclass(cls, a.SpectrogramAugmentation):
        mel = keras.layers.MelSpectrogram(512, 128, num_mel_bins=64)
        spectrograms = keras.ops.convert_to_numpy(mel(audio))
        return {"spectrograms": spectrograms.transpose(0, 2, 1)[:1]}
    if cls.mixes:
        return {"audio": audio, "labels": np.array([0, 1])}
    if ARGUMENTS.get(cls.__name__, dict)().get("channels"):
        return {"audio": np.stack([audio[0], 0 * audio[0]], axis=-1)[None]}
    return {"audio": audio[:1]}


def voice():
    """Three syllables of a falling voice."""
    random = np.random.default_rng(0)
    parts = []
    for number, vowel in enumerate(VOWELS):
        time = np.arange(RATE // 4) / RATE
        pitch = 140 - 12 * number - 60 * time
        part = scipy.signal.sawtooth(2 * np.pi * np.cumsum(pitch) / RATE)
        part = part + random.normal(0, 0.02, len(part))
        for frequency in vowel:
            part = part + 3 * scipy.signal.lfilter(
                *scipy.signal.iirpeak(frequency, 10, RATE), part
            )
        parts += [part * np.hanning(len(part)), np.zeros(RATE // 12)]
    wave = np.concatenate(parts)
    return (0.6 * wave / np.abs(wave).max()).astype("float32")


def tone():
    """A tone that rises."""
    time = np.arange(len(voice())) / RATE
    return (0.4 * scipy.signal.chirp(time, 400, 1, 4000)).astype("float32")


def rain():
    """Noise that comes and goes."""
    random = np.random.default_rng(1)
    loudness = 0.6 + 0.4 * np.sin(np.arange(RATE) / RATE * 20)
    return (0.1 * loudness * random.normal(0, 1, RATE)).astype("float32")

"""Sounds that a layer holds: given as arrays, or read from WAV files."""

import hashlib
import os
import warnings
import weakref
from collections.abc import Sequence

import numpy as np

from keras_regopt._validate import fail

# What an argument for sounds can be.
Sounds = str | os.PathLike | np.ndarray | Sequence

# Sounds by their digests, so that a copy of a layer finds those of the first.
_known: weakref.WeakValueDictionary = weakref.WeakValueDictionary()

# The name of a layer's asset.
ASSET = "sounds.npz"

ALLOWED = (
    "an array of shape (time,) or (sounds, time), a list of arrays, or the "
    "path of a WAV file, of a folder of them, or a list of such paths"
)


class Recordings:
    """Some sounds in memory, one behind the other.

    Args:
        sounds: A list of float32 arrays of one axis, none of them empty.
    """

    def __init__(self, sounds):
        self.sizes = np.array([len(sound) for sound in sounds], "int32")
        self.samples = np.concatenate(sounds)
        self.starts = (np.cumsum(self.sizes) - self.sizes).astype("int32")
        digest = hashlib.sha256(self.samples.tobytes())
        digest.update(self.sizes.tobytes())
        self.digest = digest.hexdigest()
        _known[self.digest] = self

    def __len__(self):
        return len(self.sizes)

    def __iter__(self):
        for start, size in zip(self.starts, self.sizes, strict=True):
            yield self.samples[start : start + size]

    def save(self, folder):
        """Writes the asset of a layer."""
        path = os.path.join(folder, ASSET)
        np.savez(path, samples=self.samples, sizes=self.sizes)


def load(folder):
    """The recordings that were saved as the asset of a layer."""
    with np.load(os.path.join(folder, ASSET)) as stored:
        ends = np.cumsum(stored["sizes"])[:-1]
        return Recordings(np.split(stored["samples"], ends))


def known(description):
    """The recordings that this process holds, of their description."""
    return _known.get(description["sha256"])


def described(recordings):
    """What stands in a configuration for arrays."""
    return {"sha256": recordings.digest, "count": len(recordings)}


def is_description(value):
    """Whether a value is what `described` returned."""
    return isinstance(value, dict) and "sha256" in value


def paths_of(owner, argument, value):
    """The paths of files that an argument names, or `None` of arrays.

    Raises:
        ValueError: If a folder holds no WAV files.
    """
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    if not isinstance(value, Sequence) or not value:
        return None
    if not all(isinstance(item, (str, os.PathLike)) for item in value):
        return None
    paths: list[str] = []
    for item in map(os.fspath, value):
        paths += (
            _files_in(owner, argument, item) if os.path.isdir(item) else [item]
        )
    return paths


def read_files(owner, argument, paths, sample_rate):
    """The sounds of WAV files, at a sample rate.

    Raises:
        ValueError: If a file is not there, or not one that can be read.
    """
    return [_read(owner, argument, path, sample_rate) for path in paths]


def read_arrays(owner, argument, value):
    """The sounds of arrays.

    Raises:
        ValueError: If they are not of one axis, in floats, and finite.
    """
    if not isinstance(value, (list, tuple)):
        value = np.asarray(value)
        value = [value] if value.ndim < 2 else value
    elif value and all(np.ndim(item) == 0 for item in value):
        value = [value]
    sounds = [np.asarray(sound) for sound in value]
    if not sounds:
        fail(owner, argument, ALLOWED, value)
    for sound in sounds:
        if sound.ndim != 1 or not len(sound):
            fail(owner, argument, ALLOWED, f"an array of shape {sound.shape}")
        if sound.dtype.kind != "f" or not np.isfinite(sound).all():
            fail(
                owner,
                argument,
                "finite floats from -1 to 1",
                f"an array of {sound.dtype}",
                "Divide samples of 16 bits by 32768.",
            )
    return [sound.astype("float32") for sound in sounds]


def refuse_silence(owner, argument, sounds):
    """Refuses sounds that are silent throughout.

    Raises:
        ValueError: If there is one.
    """
    for index, sound in enumerate(sounds):
        if not np.any(sound):
            fail(
                owner,
                argument,
                "sounds that can be heard",
                f"silence, in number {index}",
            )


def without_silence(sounds, sample_rate):
    """Sounds without their silent stretches.

    A stretch is silent if it is 40 decibels below the sound as a whole, for
    50 milliseconds.
    """
    step = max(1, round(0.05 * sample_rate))
    return [_sounding(sound, step) for sound in sounds]


def _sounding(sound, step):
    count = -(-len(sound) // step)
    power = np.zeros(count * step)
    power[: len(sound)] = sound.astype("float64") ** 2
    loud = power.reshape(count, step).mean(axis=1) > 1e-4 * power.mean()
    return sound[np.repeat(loud, step)[: len(sound)]]


def _files_in(owner, argument, folder):
    names = sorted(os.listdir(folder))
    names = [name for name in names if name.lower().endswith(".wav")]
    if not names:
        fail(owner, argument, "a folder with WAV files", folder)
    return [os.path.join(folder, name) for name in names]


def _read(owner, argument, path, sample_rate):
    # Slow to import.
    from scipy.io import wavfile

    if not os.path.isfile(path):
        fail(owner, argument, "the path of a WAV file that exists", path)
    try:
        with warnings.catch_warnings():
            # Of parts of the file that are no sound, such as its title.
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except ValueError as error:
        fail(
            owner,
            argument,
            f"the path of a WAV file ({error})",
            path,
            "Decode other files first, such as MP3.",
        )
    samples = _floats(samples)
    samples = samples.mean(axis=1) if samples.ndim == 2 else samples
    if rate != sample_rate and len(samples):
        samples = _resampled(samples, rate, sample_rate)
    if not len(samples):
        fail(owner, argument, "the path of a WAV file that holds sound", path)
    return samples.astype("float32")


def _floats(samples):
    """Samples from -1 to 1, of whichever format."""
    if samples.dtype.kind == "f":
        return samples.astype("float64")
    if samples.dtype == np.uint8:
        return (samples - 128.0) / 128.0
    return samples / -float(np.iinfo(samples.dtype).min)


def _resampled(samples, rate, sample_rate):
    # Slow to import.
    from scipy import signal

    new = round(sample_rate)
    shared = np.gcd(rate, new)
    return signal.resample_poly(samples, new // shared, rate // shared)

"""What the workers of bench_audio.py time: one batch of clips, in every way."""

import functools
import importlib.util
import warnings

import numpy as np
from _image_contenders import Prepared, eager, in_jax_jit, in_tf_data

RATE = 16000
PEER = "audiomentations"
FLOOR = "STFT and back"
BACKENDS = ("tensorflow", "jax", "torch")
MODES = {
    "tensorflow": {"tf.data": in_tf_data},
    "jax": {"JAX jit": in_jax_jit},
    "torch": {"torch eager": eager},
}


def steps(backend, name, seconds, batch):
    """A comparison, in all ways that a process knows.

    Args:
        backend: A backend of Keras, or the peer, which takes single clips.
        name: A name in `COMPARISONS`.
        seconds: How long the clips are.
        batch: How many clips there are.

    Yields:
        (mode, function without arguments).
    """
    clips = voices(seconds, batch)
    if backend == PEER:
        if name != FLOOR:
            yield PEER, Prepared(one_by_one, theirs(name), clips)
        return
    if name != FLOOR:
        for mode, prepare in MODES[backend].items():
            yield mode, Prepared(prepare, OURS[name], None, clips)
    elif backend == "tensorflow":
        yield "tf.data", Prepared(back_and_forth, clips)


def voices(seconds, batch):
    """Buzzing harmonics with pauses and some noise."""
    random = np.random.default_rng(0)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = random.uniform(90, 250, (batch, 1))
    clips = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 20))
    clips *= np.clip(3 * np.sin(2 * np.pi * 1.7 * time), 0, 1)
    clips += random.normal(0, 0.01, clips.shape)
    return (0.2 * clips).astype("float32")


def one_by_one(transform, clips):
    def step():
        return [transform(clip, sample_rate=RATE) for clip in clips]

    return step


def missing():
    """Why the peer cannot run, or `None`."""
    found = importlib.util.find_spec(PEER)
    return None if found else f"{PEER} is not installed"


# ------------------------------------------------------------------------ ours


def _layers():
    from keras_regopt import augmentation

    return augmentation


def chain(kit):
    layers = _layers()
    parts = [
        layers.RandomPitchShift(),
        layers.RandomTimeStretch(),
        layers.RandomFilter("low_pass", frequency=(1000.0, 6000.0)),
        layers.RandomGain(),
        layers.RandomNoise(),
    ]
    return layers.Compose(parts)


OURS = {
    "stretch": lambda kit: _layers().RandomTimeStretch(),
    "pitch": lambda kit: _layers().RandomPitchShift(),
    "speed": lambda kit: _layers().RandomSpeed(),
    "noise": lambda kit: _layers().RandomNoise(),
    "chain": chain,
}


# ---------------------------------------------------------------------- theirs


def theirs(name):
    """The transformation of audiomentations of the same ranges."""
    import audiomentations

    # Of clips that it finds too loud, and of its own dependencies.
    warnings.simplefilter("ignore")
    make = functools.partial
    stretch = make(audiomentations.TimeStretch, 0.8, 1.25, p=1.0)
    pitch = make(audiomentations.PitchShift, -4.0, 4.0, p=1.0)
    low_pass = make(audiomentations.LowPassFilter, 1000, 6000, p=1.0)
    gain = make(audiomentations.Gain, -12.0, 6.0, p=1.0)
    noise = make(audiomentations.AddGaussianSNR, 5.0, 40.0, p=1.0)
    rates = round(RATE / 1.1), round(RATE / 0.9)
    parts = {
        "stretch": [stretch],
        "pitch": [pitch],
        "speed": [make(audiomentations.Resample, *rates, p=1.0)],
        "noise": [noise],
        "chain": [pitch, stretch, low_pass, gain, noise],
    }[name]
    parts = [part() for part in parts]
    return parts[0] if len(parts) == 1 else audiomentations.Compose(parts)


# ----------------------------------------------------------------------- floor


def back_and_forth(clips):
    """Windows as those of the vocoder, their spectra, and the clips again."""
    import tensorflow as tf

    size, hop = 768, 192
    again = tf.signal.inverse_stft_window_fn(hop)

    @functools.partial(tf.function, jit_compile=True, autograph=False)
    def function(x):
        spectra = tf.signal.stft(x, size, hop, size)
        return tf.signal.inverse_stft(spectra, size, hop, size, again)

    tensor = tf.constant(clips)
    return lambda: function(tensor).numpy()

"""Trains on few computer voices, and listens to others and to a human.

A small convolutional net learns 36 words, the digits and the letters, from the
computer voices of espeak-ng: some voices are for training, others, of which it
never heard a word, for the test. Then the same net listens to a human speaker,
that of Debian's telephone prompts. All recipes of augmentation take as many
steps.

    apt-get install espeak-ng asterisk-core-sounds-en-wav
    python examples/speech_commands.py [--voices 24] [--seeds 3] [--output DIR]

`--wav` writes what each layer makes of a word instead, to be listened to.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

import keras
import numpy as np
import scipy.io.wavfile
import scipy.signal
import tensorflow as tf

from keras_regopt import augmentation as a

PACKAGES = "apt-get install espeak-ng asterisk-core-sounds-en-wav"
HUMAN = pathlib.Path("/usr/share/asterisk/sounds/en_US_f_Allison")
ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
WORDS = (*DIGITS, "eight", "nine", *LETTERS)
RECIPES = (
    *("none", "RandomTimeShift", "RandomTimeStretch", "RandomPitchShift"),
    *("RandomSpeed", "RandomNoise", "RandomFilter", "RandomReverb"),
    *("RandomTimeMask", "AudioMixUp", "RandomFrequencyWarp", "SpecAugment"),
    "most of them",
)
# What is in it by another name, or needs the labels.
LEFT_OUT = ("RandomSpeed", "RandomTimeMask", "AudioMixUp")

# That of the human speaker. A word ends within a second.
RATE = 8000
LENGTH = RATE
BATCH = 32
# The lowest frequency of the spectrograms.
LOWEST = 60.0


def recipe(name, seed):
    """Layers for waveforms, and for spectrograms, of a recipe."""
    if name == "none":
        return [], []
    options = {"sample_rate": RATE, "seed": seed}
    on_mel = {"bins_first": True, "seed": seed}
    waves = {
        "RandomTimeShift": lambda: a.RandomTimeShift(0.15, "pad", **options),
        "RandomTimeStretch": lambda: a.RandomTimeStretch(**options),
        "RandomPitchShift": lambda: a.RandomPitchShift(**options),
        "RandomSpeed": lambda: a.RandomSpeed((0.85, 1.15), seed=seed),
        "RandomNoise": lambda: a.RandomNoise(color="pink", **options),
        "RandomFilter": lambda: a.RandomFilter(
            "low_pass", (1000.0, 3900.0), rate=0.5, **options
        ),
        "RandomReverb": lambda: a.RandomReverb(
            decay=(0.05, 0.4), rate=0.5, **options
        ),
        "RandomTimeMask": lambda: a.RandomTimeMask(**options),
        "AudioMixUp": lambda: a.AudioMixUp(0.4, seed=seed),
    }
    spectrograms = {
        "RandomFrequencyWarp": lambda: a.RandomFrequencyWarp(
            (0.85, 1.15), 0.6, "mel", LOWEST, RATE / 2, **on_mel
        ),
        "SpecAugment": lambda: a.SpecAugment(
            frequency_mask_size=0.15, rate=0.8, **on_mel
        ),
    }
    names = [name]
    if name == "most of them":
        names = [n for n in (*waves, *spectrograms) if n not in LEFT_OUT]
    return (
        [waves[n]() for n in names if n in waves],
        [spectrograms[n]() for n in names if n in spectrograms],
    )


def voices():
    """The names of all voices, in a mixed but fixed order."""
    command = ["espeak-ng", "--voices=variant"]
    listed = subprocess.check_output(command, text=True)
    variants = sorted(set(re.findall(r"!v/(\S+)", listed)))
    order = np.random.default_rng(0).permutation(len(variants))
    return [f"{ACCENTS[i % 5]}+{variants[i]}" for i in order]


def spoken(voice, directory):
    """All words by one voice, of shape `(36, LENGTH)`; they are kept."""
    path = directory / f"{voice}.npy"
    if not path.exists():
        clips = []
        for word in WORDS:
            wav = directory / "word.wav"
            command = ["espeak-ng", "-v", voice, "-w", wav, word]
            subprocess.check_call(command)
            clips.append(recording(wav))
            wav.unlink()
        # Under another name first, so that it is there whole or not at all.
        unfinished = directory / "unfinished.npy"
        np.save(unfinished, np.stack(clips).astype("float16"))
        unfinished.rename(path)
    return np.load(path).astype("float32")


def recording(path):
    """One word from a file, without the silence around it."""
    rate, samples = scipy.io.wavfile.read(path)
    samples = scipy.signal.resample_poly(samples / 32768, RATE, rate)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1][: int(0.9 * LENGTH)]
    samples = 0.5 * samples / np.abs(samples).max()
    before = (LENGTH - len(samples)) // 2
    return np.pad(samples, (before, LENGTH - len(samples) - before))


def human():
    """The words of the human speaker."""
    paths = [HUMAN / "digits" / f"{i}.wav" for i in range(10)]
    paths += [HUMAN / "letters" / f"{letter}.wav" for letter in LETTERS]
    return np.stack([recording(path) for path in paths]).astype("float32")


def net(spectrogram_layers):
    """A net of waveforms, which augments its spectrograms in `fit`."""
    mel = keras.layers.MelSpectrogram(
        256,
        128,
        sampling_rate=RATE,
        num_mel_bins=40,
        min_freq=LOWEST,
        # What is 50 dB below a loud word is silence in every recording. By
        # default, the loudest clip of the batch would say what is.
        min_power=0.01,
        top_db=200.0,
    )
    # The level of a recording says nothing.
    level = keras.layers.LayerNormalization(
        axis=(1, 2), center=False, scale=False
    )
    convolutions = []
    for filters in (24, 48, 96):
        convolutions += [
            keras.layers.Conv2D(filters, 3, strides=2, use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
        ]
    return keras.Sequential(
        [
            keras.Input((LENGTH,)),
            mel,
            *spectrogram_layers,
            level,
            keras.layers.Reshape((40, -1, 1)),
            *convolutions,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(len(WORDS)),
        ]
    )


def fitted(clips, labels, layers, seed, epochs):
    """A net that was trained with a recipe."""
    keras.utils.set_random_seed(seed)
    waves, spectrograms = layers
    model = net(spectrograms)
    targets = np.eye(len(WORDS), dtype="float32")[labels]
    dataset = tf.data.Dataset.from_tensor_slices((clips, targets))
    dataset = dataset.shuffle(len(clips), seed=seed).batch(
        BATCH, drop_remainder=True
    )
    if waves:
        dataset = a.map_dataset(dataset, a.Compose(waves))
    rate = keras.optimizers.schedules.CosineDecay(
        3e-3, epochs * (len(clips) // BATCH)
    )
    model.compile(
        keras.optimizers.AdamW(rate),
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=0.1
        ),
    )
    model.fit(dataset, epochs=epochs, verbose=0, shuffle=False)
    return model


def accuracy(model, clips, labels):
    predicted = model.predict(clips, batch_size=256, verbose=0).argmax(axis=1)
    return 100 * float(np.mean(predicted == labels))


def labeled(names, directory):
    """The clips of some voices, and their labels."""
    clips = np.concatenate([spoken(name, directory) for name in names])
    return clips, np.tile(np.arange(len(WORDS)), len(names))


def trial(name, seed, options, directory):
    """Accuracy on other computer voices and on the human, in percent."""
    names = voices()
    np.random.default_rng(seed).shuffle(names)
    names, others = names[: options.voices], names[options.voices :]
    clips, labels = labeled(names, directory)
    others = labeled(others[: options.held_out], directory)
    start = time.process_time()
    model = fitted(clips, labels, recipe(name, seed), seed, options.epochs)
    seconds = time.process_time() - start
    by_human = accuracy(model, human(), np.arange(len(WORDS)))
    result = accuracy(model, *others), by_human
    print(
        f"seed {seed}, {name}: other voices {result[0]:.1f} %, human "
        f"{result[1]:.1f} % ({seconds:.0f} CPU s)",
        flush=True,
    )
    return result


def table(results):
    """The results as Markdown: means over the seeds, and their errors."""
    lines = [
        "| recipe | seeds | other voices, % | human, % |",
        "| --- | --- | --- | --- |",
    ]
    for name, values in results.items():
        values = np.array(values)
        means = values.mean(axis=0)
        error = values.std(axis=0, ddof=1) if len(values) > 1 else means * 0
        error = error / np.sqrt(len(values))
        shown = [
            f"{m:.1f} ± {e:.1f}" for m, e in zip(means, error, strict=True)
        ]
        lines.append(f"| {name} | {len(values)} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def write_sounds(directory, clips):
    """Writes a word and three draws of it, one after the other, a layer."""
    (directory / "wav").mkdir(exist_ok=True)
    for name in RECIPES:
        waves, _ = recipe(name, seed=1)
        if not waves or waves[0].mixes:
            continue
        layer = a.Compose(waves)
        batch = np.repeat(clips[:1], 3, axis=0)
        draws = keras.ops.convert_to_numpy(layer(batch, training=True))
        sound = np.concatenate([clips[0], *draws])
        sound = (32767 * np.clip(sound, -1, 1)).astype("int16")
        path = directory / "wav" / f"{name.replace(' ', '_')}.wav"
        scipy.io.wavfile.write(path, RATE, sound)
        print(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--voices", type=int, default=24)
    parser.add_argument("--held-out", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--wav", action="store_true")
    parser.add_argument("--output", default="speech_output")
    options = parser.parse_args()
    if shutil.which("espeak-ng") is None or not HUMAN.exists():
        sys.exit(f"This example needs two packages of Debian: {PACKAGES}")
    output = pathlib.Path(options.output)
    directory = output / "clips"
    directory.mkdir(parents=True, exist_ok=True)
    if options.wav:
        write_sounds(output, human()[7:8])
        return
    results = {}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for name in options.recipes:
            result = trial(name, seed, options, directory)
            results.setdefault(name, []).append(result)
    print(table(results))
    (output / "results.md").write_text(table(results))


if __name__ == "__main__":
    # No progress bars between the lines.
    keras.utils.disable_interactive_logging()
    main()

"""Audio: noise on waveforms, masks on their spectrograms."""

import keras
import numpy as np
import tensorflow as tf

import keras_regopt as kr


def tones(clips=600):
    """Sines, squares and saws of random pitch, a quarter of a second long."""
    random = np.random.default_rng(0)
    pitch, start = random.uniform((200, 0), (800, 1), (clips, 2)).T[..., None]
    phase = pitch * np.arange(2048) / 8000 + start
    sine = np.sin(2 * np.pi * phase)
    kinds = np.stack([sine, np.sign(sine), 2 * (phase % 1) - 1])
    labels = random.integers(0, 3, clips)
    return kinds[labels, np.arange(clips)].astype("float32") / 2, labels


def spectra(audio, label):
    return tf.math.log(tf.abs(tf.signal.stft(audio, 256, 128)) + 0.1), label


def main(epochs=20):
    parts = map(tuple, kr.diagnosis.split(*tones(), stratify=True))
    pairs, dev, test = (
        tf.data.Dataset.from_tensor_slices(part).batch(32) for part in parts
    )
    noise = kr.augmentation.RandomNoise(snr=(0, 20), sample_rate=8000, seed=0)
    pairs = kr.augmentation.map_dataset(pairs, noise).map(spectra)
    masks = kr.augmentation.SpecAugment(frequency_mask_size=0.1, seed=1)
    pairs = kr.augmentation.map_dataset(pairs, masks)
    conv = keras.layers.Conv1D(32, 3, activation="relu")
    pool, last = keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((15, 129)), conv, pool, last])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(kr.optimizers.AdamW(0.01), loss, metrics=["accuracy"])
    model.fit(pairs, validation_data=dev.map(spectra), epochs=epochs, verbose=0)
    return model.evaluate(test.map(spectra), verbose=0)[1]

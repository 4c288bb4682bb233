import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import signal
from wave_samples import called, noise

from keras_regopt.augmentation import (
    Compose,
    LoudnessNormalization,
    PeakNormalization,
)

# The coefficients of ITU-R BS.1770-5, at 48 kHz.
SHELF = (
    [1.53512485958697, -2.69169618940638, 1.19839281085285],
    [1.0, -1.69065929318241, 0.73248077421585],
)
HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])


def loudness_of(wave, weights=(1, 1, 1, 1.41, 1.41)):
    """The integrated loudness at 48 kHz of `(time, channels)`, in doubles."""
    heard = signal.lfilter(*SHELF, wave.astype("float64"), axis=0)
    squares = signal.lfilter(*HIGH_PASS, heard, axis=0) ** 2
    block, step = 19200, 4800
    starts = range(0, len(wave) - block + 1, step)
    powers = np.array([squares[i : i + block].mean(axis=0) for i in starts])
    powers = powers @ np.array(weights[: wave.shape[1]])
    levels = -0.691 + 10 * np.log10(np.maximum(powers, 1e-30))
    loud = levels > -70
    gate = -0.691 + 10 * np.log10(powers[loud].mean()) - 10
    return -0.691 + 10 * np.log10(powers[loud & (levels > gate)].mean())


def test_has_the_loudness_of_the_standard():
    # Loud, soft enough for the relative gate, and below the absolute one.
    audio = noise(3, 40000, 2)
    audio[:, 22000:] *= 0.02
    audio[2, 30000:] = 0.0
    lengths = [40000, 28000, 40000]
    layer = LoudnessNormalization(-20.0, sample_rate=48000, channels=True)
    result = called(layer, audio, lengths)
    for clip, changed, length in zip(audio, result, lengths, strict=True):
        assert abs(loudness_of(changed[:length]) + 20) < 0.02
        np.testing.assert_array_equal(changed[length:], clip[length:])


@pytest.mark.any_backend
def test_the_channels_at_the_back_count_more():
    audio = noise(1, 30000, 5)
    layer = LoudnessNormalization(-20.0, sample_rate=48000, channels=True)
    assert abs(loudness_of(called(layer, audio)[0]) + 20) < 0.02
    with pytest.raises(ValueError, match="at most 5 channels"):
        layer(noise(1, 1000, 6))


@pytest.mark.any_backend
@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
def test_is_the_same_at_every_sample_rate(sample_rate):
    # The standard's own calibration: 997 Hz at full scale are -3.01 LUFS.
    time = np.arange(sample_rate) / sample_rate
    tone = np.sin(2 * np.pi * 997 * time).astype("float32")
    layer = LoudnessNormalization(-23.0, sample_rate=sample_rate)
    gain = 20 * np.log10(called(layer, tone).max() / tone.max())
    assert abs(gain - (-23 + 3.01)) < 0.05


@pytest.mark.any_backend
def test_short_clips_are_one_block():
    audio = noise(2, 900)
    result = called(LoudnessNormalization(), audio, [900, 450])
    louder = called(LoudnessNormalization(-17.0), audio, [900, 450])
    np.testing.assert_allclose(
        louder[1, :450], result[1, :450] * 10 ** (6 / 20), rtol=1e-4
    )
    # White noise of that level is about -18 LUFS: no wild gain.
    assert 0.2 < np.abs(result[0]).max() / np.abs(audio[0]).max() < 1.5


@pytest.mark.any_backend
def test_brings_peaks_to_their_level():
    audio = noise(2, 500)
    audio[1, 300] = 7.0
    result = called(PeakNormalization(-6.0), audio, [500, 200])
    peaks = [np.abs(result[0]).max(), np.abs(result[1, :200]).max()]
    np.testing.assert_allclose(peaks, 10 ** (-6 / 20), rtol=1e-5)
    np.testing.assert_array_equal(result[1, 200:], audio[1, 200:])


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", [LoudnessNormalization, PeakNormalization])
def test_does_the_same_in_models_and_datasets(cls):
    audio = noise(4, 500)
    layer = cls()
    expected = called(layer, audio).astype("float32")
    model = keras.Sequential([keras.Input((500,)), layer])
    dataset = tf.data.Dataset.from_tensor_slices(audio).batch(4)
    for result in (
        model.predict(audio, verbose=0),
        next(iter(dataset.map(layer))).numpy(),
    ):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.any_backend
def test_acts_outside_of_training_as_well():
    audio = noise(2, 500)
    for layer in (PeakNormalization(), LoudnessNormalization()):
        expected = called(layer, audio)
        for training in (False, None):
            result = layer(audio, training=training)
            np.testing.assert_array_equal(result, expected.astype("float32"))
        chain = Compose([layer], rate=0.0)
        np.testing.assert_array_equal(
            called(chain, audio), expected.astype("float32")
        )
        with pytest.raises(ValueError, match=r"`rate` of .* must be 1"):
            type(layer)(rate=0.5)

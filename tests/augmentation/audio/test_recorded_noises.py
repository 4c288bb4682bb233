"""Sounds from arrays and files, and the layers that add them."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.io import wavfile
from wave_samples import SAMPLE_RATE, called, decibels, noise, power

from keras_regopt.augmentation import RandomBackgroundNoise, RandomShortNoises

LENGTHS = [2000, 900, 2000]


def tone(hertz, seconds, rate=SAMPLE_RATE):
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype("float32")


def test_background_has_its_ratio_over_the_valid_samples():
    audio = noise(3, 2000)
    audio[1, 900:] = 0.9
    layer = RandomBackgroundNoise([noise(5000), noise(700)], snr=10.0, seed=0)
    result = called(layer, audio, LENGTHS)
    for clip, changed, length in zip(audio, result, LENGTHS, strict=True):
        added = (changed - clip)[:length]
        assert abs(decibels(power(clip[:length]) / power(added)) - 10) < 0.01
        np.testing.assert_array_equal(changed[length:], clip[length:])


@pytest.mark.any_backend
def test_background_is_a_stretch_of_the_recording():
    recording = noise(3000)
    layer = RandomBackgroundNoise(recording, snr=20.0, seed=0)
    audio = noise(40, 1000, seed=1)
    added = called(layer, audio) - audio
    begins = set()
    for stretch in added:
        matches = np.correlate(recording, stretch)
        begin = int(np.argmax(matches))
        part = recording[begin : begin + 1000].astype("float64")
        np.testing.assert_allclose(
            stretch / np.linalg.norm(stretch),
            part / np.linalg.norm(part),
            atol=1e-4,
        )
        begins.add(begin)
    assert len(begins) > 35
    assert min(begins) < 400
    assert max(begins) > 1600


@pytest.mark.any_backend
def test_background_is_never_silent():
    # A tenth of the recording sounds, the rest is silent or nearly so.
    recording = 1e-5 * noise(40000)
    recording[20000:24000] = noise(4000)
    layer = RandomBackgroundNoise(recording, snr=0.0, seed=0)
    assert 4000 <= layer.recordings.sizes[0] <= 5600
    audio = noise(30, 500)
    added = called(layer, audio) - audio
    ratios = np.mean(added**2, axis=1) / np.mean(audio**2.0, axis=1)
    np.testing.assert_allclose(ratios, 1, rtol=1e-3)


@pytest.mark.any_backend
def test_short_recordings_are_repeated():
    recording = noise(300)
    layer = RandomBackgroundNoise(recording, snr=0.0, seed=0)
    audio = noise(2, 1000)
    added = called(layer, audio) - audio
    np.testing.assert_allclose(added[:, 300:], added[:, :-300], atol=1e-6)


def test_short_sounds_lie_within_and_have_their_ratio():
    audio = noise(3, 2000, level=0.2)
    click = noise(200, seed=1)
    layer = RandomShortNoises(click, count=1, snr=6.0, seed=0)
    result = called(layer, audio, LENGTHS)
    for clip, changed, length in zip(audio, result, LENGTHS, strict=True):
        where = np.flatnonzero(changed != clip)
        assert where[-1] - where[0] < 200
        assert where[-1] < length
        added = (changed - clip)[where[0] : where[0] + 200]
        ratio = decibels(power(clip[:length]) / power(added))
        assert abs(ratio - 6) < 0.05


@pytest.mark.any_backend
def test_draws_how_many_sounds_and_where():
    audio = noise(200, 4000)
    layer = RandomShortNoises(noise(20, seed=1), count=(0, 2), seed=0)
    changed = called(layer, audio) != audio
    counts = changed.sum(axis=1)
    # None is 0, one is some 20 samples, two are some 40 but where they meet.
    numbers = np.digitize(counts, [1, 21])
    shares = np.bincount(numbers, minlength=3) / 200
    np.testing.assert_allclose(shares, 1 / 3, atol=5 * np.sqrt(2 / 9 / 200))
    places = changed.any(axis=0)
    assert places[:400].any()
    assert places[-400:].any()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "convert",
    [
        lambda x: np.round(x * 32767).astype("int16"),
        lambda x: np.round(x * 127 + 128).astype("uint8"),
        lambda x: np.round(x.astype("float64") * (2**31 - 1)).astype("int32"),
        lambda x: x,
        lambda x: np.stack([1.5 * x, 0.5 * x], axis=1),
    ],
)
def test_reads_every_kind_of_wav_file(convert, tmp_path):
    sound = tone(440, 0.2)
    path = tmp_path / "sound.wav"
    wavfile.write(path, SAMPLE_RATE, convert(sound))
    layer = RandomBackgroundNoise(path)
    # Eight bits have steps of 1 / 128.
    np.testing.assert_allclose(layer.recordings.samples, sound, atol=0.008)


@pytest.mark.any_backend
def test_reads_folders_and_resamples(tmp_path):
    wavfile.write(tmp_path / "b.wav", 44100, tone(440, 0.5, 44100))
    wavfile.write(tmp_path / "a.WAV", 8000, tone(300, 0.5, 8000))
    layer = RandomBackgroundNoise(tmp_path)
    for sound, hertz in zip(layer.recordings, (300, 440), strict=True):
        assert len(sound) == 8000
        middle = slice(1000, 7000)
        error = (sound - tone(hertz, 0.5))[middle]
        # 0.01 of the amplitude of the tone.
        assert np.abs(error).max() < 0.005


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", [RandomBackgroundNoise, RandomShortNoises])
def test_the_saved_model_holds_the_files(cls, tmp_path):
    path = tmp_path / "sound.wav"
    wavfile.write(path, SAMPLE_RATE, noise(600))
    model = keras.Sequential([keras.Input((500,)), cls([str(path)], seed=0)])
    model.save(tmp_path / "model.keras")
    path.unlink()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    audio = noise(2, 500)
    expected = called(model.layers[0], audio)
    np.testing.assert_array_equal(called(loaded.layers[0], audio), expected)
    # A configuration alone names files that are gone.
    lonely = cls.from_config(loaded.layers[0].get_config())
    with pytest.raises(ValueError, match="nor where the files were"):
        lonely(audio)


@pytest.mark.any_backend
def test_a_copy_finds_the_arrays_of_the_first():
    layer = RandomBackgroundNoise(noise(700), seed=0)
    config = json.loads(json.dumps(layer.get_config()))
    assert len(json.dumps(config)) < 500
    copy = RandomBackgroundNoise.from_config(config)
    audio = noise(2, 500)
    np.testing.assert_array_equal(called(copy, audio), called(layer, audio))


@pytest.mark.any_backend
def test_works_in_tf_data_where_the_length_is_not_known():
    layer = RandomBackgroundNoise([noise(700), noise(300)], snr=0.0, seed=0)
    clips = [noise(600), noise(900)]
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(clips), output_signature=tf.TensorSpec((None,))
    )
    for clip, result in zip(clips, dataset.map(layer), strict=True):
        added = result.numpy().astype("float64") - clip
        assert abs(decibels(power(added) / power(clip))) < 0.01


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", [RandomBackgroundNoise, RandomShortNoises])
def test_says_what_is_wrong_with_sounds(cls, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"ID3 no such thing as a wave")
    folder = tmp_path / "folder"
    folder.mkdir()
    for value, message in [
        (str(tmp_path / "none.wav"), "a WAV file that exists"),
        (str(bad), "Decode other files first"),
        (str(folder), "a folder with WAV files"),
        ([], "an array of shape"),
        ([noise(5), np.zeros(5)], "silence, in number 1"),
        (np.zeros((2, 2, 2)), "an array of shape"),
        (np.ones(5, "int16"), "Divide samples of 16 bits by 32768"),
        (np.full(5, np.nan), "finite floats"),
    ]:
        with pytest.raises(
            ValueError, match=f"`noises` of {cls.__name__} m"
        ) as e:
            cls(value)
        assert message in str(e.value)
    with pytest.raises(ValueError, match="`snr`"):
        cls(noise(5), snr=-50)

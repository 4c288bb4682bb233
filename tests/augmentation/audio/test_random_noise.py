import keras
import numpy as np
import pytest
from keras import ops
from wave_samples import SAMPLE_RATE, called, decibels, noise, power

from keras_regopt.augmentation import RandomNoise

LENGTHS = [4000, 2500, 300]
COLORS = ["white", "pink", "brown"]


@pytest.mark.parametrize("color", COLORS)
def test_has_its_ratio_to_the_signal_over_the_valid_samples(color):
    audio = noise(3, 4000)
    # What lies behind is no part of the signal.
    for clip, length in zip(audio, LENGTHS, strict=True):
        clip[length:] = 0.9
    layer = RandomNoise(snr=12.0, color=color, seed=0)
    result = called(layer, audio, LENGTHS)
    for clip, changed, length in zip(audio, result, LENGTHS, strict=True):
        added = (changed - clip)[:length]
        ratio = decibels(power(clip[:length]) / power(added))
        # Asked for are 0.2; single precision leaves 0.001.
        assert abs(ratio - 12) < 0.01
        np.testing.assert_array_equal(changed[length:], clip[length:])


@pytest.mark.any_backend
@pytest.mark.parametrize("color", COLORS)
def test_falls_by_its_decibels_an_octave(color):
    silence = np.zeros((24, SAMPLE_RATE), "float32")
    layer = RandomNoise(level=-20.0, color=color, seed=0)
    result = called(layer, silence)
    powers = (np.abs(np.fft.rfft(result)) ** 2).mean(axis=0)
    # One bin is one Hz: seven octaves from 60 Hz on.
    octaves = [powers[60 * 2**k : 120 * 2**k].mean() for k in range(7)]
    slope = np.polyfit(np.arange(7), decibels(np.array(octaves)), 1)[0]
    assert abs(slope - {"white": 0, "pink": -3.01, "brown": -6.02}[color]) < 0.3
    if color != "white":
        assert powers[:20].max() < 1e-6 * powers.max()


@pytest.mark.any_backend
def test_has_its_level_whatever_the_signal():
    audio = noise(2, 3000, level=0.3)
    audio[1] = 0.0
    layer = RandomNoise(level=(-30.0, -30.0), seed=0)
    added = called(layer, audio) - audio
    levels = [decibels(power(clip)) for clip in added]
    np.testing.assert_allclose(levels, -30, atol=0.01)


@pytest.mark.any_backend
def test_white_noise_is_normal_and_new_in_every_sample():
    silence = np.zeros((2, 20000, 2), "float32")
    layer = RandomNoise(level=0.0, channels=True, seed=0)
    added = called(layer, silence)
    count = added.size
    # Five standard errors of each moment, and of each product.
    assert abs(added.mean()) < 5 / np.sqrt(count)
    assert abs((added**3).mean()) < 5 * np.sqrt(15 / count)
    assert abs((added**4).mean() - 3) < 5 * np.sqrt(96 / count)
    for axis in range(3):
        neighbor = np.roll(added, 1, axis)
        if axis != 1:
            assert abs((added * neighbor).mean()) < 5 / np.sqrt(count / 2)
        else:
            assert abs((added * neighbor).mean()) < 5 / np.sqrt(count)


@pytest.mark.any_backend
def test_each_clip_draws_its_ratio():
    audio = noise(200, 400)
    layer = RandomNoise(snr=(10.0, 20.0), seed=0)
    added = called(layer, audio) - audio
    ratios = np.array(
        [
            decibels(power(a) / power(b))
            for a, b in zip(audio, added, strict=True)
        ]
    )
    assert 9.99 < ratios.min() < 10.5
    assert 19.5 < ratios.max() < 20.01
    assert abs(ratios.mean() - 15) < 5 * 10 / np.sqrt(12 * 200)


@pytest.mark.any_backend
def test_silence_stays_and_targets_stay():
    audio, clean = noise(2, 500), noise(2, 500, seed=1)
    audio[0] = 0.0
    outputs = called(RandomNoise(seed=0), audio, targets=clean)
    np.testing.assert_array_equal(outputs["audio"][0], 0.0)
    assert np.any(outputs["audio"][1] != audio[1])
    np.testing.assert_array_equal(outputs["targets"], clean)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"snr": 200}, "`snr` of RandomNoise must be a number .* <= 100"),
        ({"snr": (20, 10)}, "`snr` of RandomNoise must be a number from -30"),
        ({"color": "blue"}, "`color` of RandomNoise must be one of 'white'"),
        ({"level": 3.0}, "`level` of RandomNoise must be a number .* <= 0"),
        ({"sample_rate": 0}, "`sample_rate` of RandomNoise must be .* > 100"),
    ],
)
def test_says_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomNoise(**arguments)


@pytest.mark.any_backend
@pytest.mark.parametrize("arguments", [{}, {"level": -20.0}])
def test_torch_adds_piece_by_piece_what_others_add_at_once(
    arguments, monkeypatch
):
    from keras_regopt.augmentation.audio.functional import _noise

    audio = noise(5, 300, 2)
    audio[4] = 0.0
    results = []
    for pieces in (True, False):
        if not pieces:
            monkeypatch.setattr(_noise, "_native", lambda tensor: None)
        layer = RandomNoise(seed=0, channels=True, **arguments)
        results.append(called(layer, audio, [300, 200, 1, 0, 300]))
    # The numbers are the same ones; sums of squares are rounded otherwise.
    np.testing.assert_allclose(*results, atol=2e-7)


@pytest.mark.any_backend
@pytest.mark.skipif(keras.backend.backend() != "torch", reason="of torch alone")
def test_pieces_of_noise_are_the_hash_bit_for_bit(monkeypatch):
    from keras_regopt._random import normals_of
    from keras_regopt.augmentation._noise import bits
    from keras_regopt.augmentation.audio.functional import _noise_on_torch

    monkeypatch.setattr(_noise_on_torch, "PIECE", 1000)
    keys = ops.convert_to_tensor(np.array([3, -(2**31), 7, 2**31 - 1], "int32"))
    for count in (1, 333, 1000, 2345):
        np.testing.assert_array_equal(
            _noise_on_torch.normals(keys, count), normals_of(bits(keys, count))
        )

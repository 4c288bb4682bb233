import keras
import numpy as np
import pytest
from keras import ops
from synthetic_voice import RATE, compiled, decibels, distance, tone, voice

from keras_regopt.augmentation.audio.functional import (
    _vocoder,
    _vocoder_torch,
)
from keras_regopt.augmentation.audio.functional._frames import (
    HOPS,
    fast_size,
    hop_size,
)
from keras_regopt.augmentation.audio.functional._vocoder import stretch

HOP = 192
WINDOW = HOPS * HOP


def stretched(signals, tempo, length=None, **options):
    """Signals of the shape (rows, samples), each at its own tempo."""
    signals = np.asarray(signals, "float32")
    tempo = np.broadcast_to(np.float32(tempo), len(signals))
    length = length or signals.shape[1]
    run = compiled(lambda x, y: stretch(x, y, length, HOP, **options))
    tensors = map(ops.convert_to_tensor, (signals, tempo))
    return ops.convert_to_numpy(run(*tensors))


def test_at_its_own_tempo_a_signal_stays():
    noise = np.random.default_rng(0).normal(0, 0.2, (2, 4000))
    result = stretched(noise, 1.0)
    np.testing.assert_allclose(result, noise, rtol=0, atol=1e-5)


def test_tones_keep_pitch_and_loudness_and_silence_ends():
    size = 8000
    gap, margin = slice(3000, 4500), 3 * WINDOW // 4
    sound = np.tile(tone(440, size), (4, 1))
    sound[2:, gap] = 0
    tempos = np.array([0.8, 1.25, 0.8, 1.25], "float32")
    result = stretched(sound, tempos)
    assert np.isfinite(result).all()
    for row, tempo in enumerate(tempos[:2]):
        inner = result[row, 500 : int(5500 / tempo)]
        # Whole periods, up to the sample.
        periods = inner[: len(inner) // 400 * 400]
        level = decibels(np.mean(periods**2) / 0.125)
        assert abs(level) < 0.01, (tempo, level)
    for row, tempo in enumerate(tempos[2:], 2):
        # Around either end, windows hold both.
        begin, end = int(3000 / tempo) + margin, int(4500 / tempo)
        loudest = abs(result[row, begin : end - margin]).max()
        assert loudest < 1e-3, (tempo, loudest)
        last = min(size, int(size / tempo))
        after = result[row, end + margin : last - margin]
        level = decibels(np.mean(after**2) / 0.125)
        assert abs(level) < 0.1, (tempo, level)


def test_what_is_over_is_silent():
    result = stretched(tone(300, 4000)[None], 2.0)
    assert abs(result[0, 1000:1900]).max() > 0.4
    assert abs(result[0, 2000 + WINDOW :]).max() < 1e-6


def test_clicks_stay_clicks_in_their_place():
    # In all places that a click can have among the windows.
    places = 1500 + 12 * np.arange(16)
    clicks = np.zeros((16, 4000), "float32")
    clicks[np.arange(16), places] = 0.9
    tempos = np.repeat(np.array([0.8, 1.25], "float32"), 16)
    result = stretched(np.tile(clicks, (2, 1)), tempos)
    for row, tempo in enumerate(tempos):
        energy = result[row] ** 2
        peak = energy.argmax()
        # Two milliseconds on either side.
        near = energy[peak - 32 : peak + 33].sum() / energy.sum()
        assert near > 0.99, (row, near)
        moved = abs(peak - places[row % 16] / tempo)
        assert moved <= WINDOW / 2 * abs(1 - tempo) + 1, (row, moved)
        level = decibels(energy.sum() / 0.81)
        assert abs(level) < 2, (row, level)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("tempo", "bound"), [(0.8, 1.5), (1.25, 1.5), (0.5, 1.6)]
)
def test_a_voice_is_close_to_the_true_stretch(tempo, bound):
    # In the same measure, the library signalsmith is 2.3, 2.8 and 3.7 dB off.
    truth = voice(tempo)
    result = stretched(voice(1.0)[None], tempo, len(truth))[0]
    assert distance(result, truth) < bound


@pytest.mark.any_backend
def test_the_two_ways_to_compute_it_agree(monkeypatch):
    sound = voice(1.0)[:6000].reshape(2, 3000)
    keep = np.linspace(1, 0, 2 * HOP + 1, dtype="float32")[None]
    options = {"channels": 2, "finer": 2, "ahead": 1}
    options["keep"] = ops.convert_to_tensor(np.repeat(keep, 2, axis=0))
    by_torch = stretched(sound, 0.9, **options)
    monkeypatch.setattr(_vocoder_torch, "stretched", _vocoder._streamed)
    by_steps = stretched(sound, 0.9, **options)
    assert by_torch.shape == (2, 6001)
    np.testing.assert_allclose(by_torch, by_steps, rtol=0, atol=1e-4)


@pytest.mark.any_backend
def test_the_channels_of_a_clip_turn_alike():
    sound = voice(1.0)[4000:12000]
    left, right = stretched([sound, -0.25 * sound], 0.8, channels=2)
    np.testing.assert_allclose(right, -0.25 * left, rtol=0, atol=1e-6)
    # Another sound beside it tells how it turns, so that both agree.
    other = tone(700, 8000)
    both = stretched([sound, sound + other], 0.8, channels=2)
    mono = stretched([other], 0.8, channels=1)
    difference = both[1] - both[0]
    inner = slice(1000, 7000)
    level = np.mean(difference[inner] ** 2) / np.mean(mono[0, inner] ** 2)
    assert abs(decibels(level)) < 0.1


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the gradients of torch"
)
def test_gradients_pass():
    import torch

    sound = torch.tensor(voice(1.0)[None, 1500:2500], requires_grad=True)
    result = stretch(sound, torch.tensor([0.9]), 1000, HOP)
    result.square().sum().backward()
    assert torch.isfinite(sound.grad).all()
    assert sound.grad.abs().max() > 0


@pytest.mark.any_backend
@pytest.mark.parametrize("size", [1, 10, WINDOW - 1])
def test_what_is_shorter_than_a_window_is_stretched_too(size):
    for sound in (np.zeros((1, size)), np.full((1, size), 0.5)):
        result = stretched(sound, 0.8)
        assert result.shape == (1, size)
        assert np.isfinite(result).all()
        assert abs(result).max() < 1


@pytest.mark.any_backend
def test_windows_follow_the_sample_rate():
    for rate in (8000, 16000, 22050, 44100, 48000, 96000):
        hop = hop_size(rate)
        assert 0.045 < HOPS * hop / rate < 0.055, rate
        assert fast_size(hop) == hop
    assert hop_size(100) >= 1
    assert hop_size(RATE) == HOP

import numpy as np
import pytest
from keras import ops
from synthetic_voice import RATE, decibels, tone

from keras_regopt.augmentation.audio.functional._resample import (
    band_limited,
    resample,
)


def resampled(signals, speed, length):
    """Signals of the shape (rows, samples), each at its own speed."""
    signals = np.asarray(signals, "float32")
    speed = np.broadcast_to(np.float32(speed), len(signals))
    result = resample(
        ops.convert_to_tensor(signals), ops.convert_to_tensor(speed), length
    )
    return ops.convert_to_numpy(result)


def signal_to_noise(result, reference):
    noise = np.mean((result - reference) ** 2)
    return decibels(np.mean(reference**2) / noise)


def test_a_tone_of_3_khz_is_read_without_noise_and_images():
    speeds = np.array([0.8, 0.9, 1.1], "float32")
    result = resampled([tone(3000, 6000)] * 3, speeds, 5000)
    inner = slice(300, 4700)
    for row, speed in enumerate(speeds):
        reference = tone(3000 * np.float64(speed), 5000)
        ratio = signal_to_noise(result[row, inner], reference[inner])
        assert ratio > 65, (speed, ratio)
        window = np.blackman(4400)
        levels = abs(np.fft.rfft(result[row, inner] * window)) ** 2
        peak = levels.argmax()
        levels = levels / levels[peak]
        levels[peak - 40 : peak + 41] = 0
        assert decibels(levels.max()) < -60, speed


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("frequency", "bound"), [(440, 60), (1000, 80), (5000, 50), (6500, 40)]
)
def test_the_noise_of_other_tones(frequency, bound):
    result = resampled([tone(frequency, 6000)], 1.05, 5000)[0, 300:-300]
    speed = np.float64(np.float32(1.05))
    reference = tone(frequency * speed, 5000)[300:-300]
    assert signal_to_noise(result, reference) > bound


@pytest.mark.any_backend
def test_at_its_own_speed_a_signal_stays():
    noise = np.random.default_rng(0).normal(0, 0.2, (1, 5000))
    result = resampled(noise, 1.0, 5000)
    np.testing.assert_allclose(result, noise, rtol=0, atol=1e-5)


@pytest.mark.any_backend
def test_long_signals_are_read_as_exactly_as_short_ones():
    size = 480_000
    result = resampled([tone(3000, size)], 0.9, size)[0, -9000:-1000]
    speed = np.float64(np.float32(0.9))
    time = np.arange(size)[-9000:-1000] / RATE
    reference = 0.5 * np.sin(2 * np.pi * 3000 * speed * time)
    assert signal_to_noise(result, reference) > 65


@pytest.mark.any_backend
def test_what_the_output_cannot_hold_is_left_out():
    result = resampled([tone(7000, 6000)], 1.25, 4800)[0, 200:-200]
    assert decibels(np.mean(result**2) / 0.125) < -50


@pytest.mark.any_backend
def test_behind_the_end_is_silence():
    result = resampled([tone(500, 1000)], 2.0, 1000)[0]
    assert abs(result[:500]).max() > 0.4
    assert abs(result[600:]).max() < 1e-6
    far = resampled([tone(500, 100)], 4.0, 3000)[0]
    assert abs(far[200:]).max() == 0


@pytest.mark.any_backend
def test_a_band_limit_keeps_what_is_below_and_nothing_above():
    sound = np.stack([tone(1900, 6000), tone(2300, 6000)])
    cutoff = ops.convert_to_tensor(np.array([0.25, 0.25], "float32"))
    result = band_limited(ops.convert_to_tensor(sound), cutoff)
    below, above = ops.convert_to_numpy(result)[:, 200:-200]
    assert signal_to_noise(below, sound[0, 200:-200]) > 45
    assert decibels(np.mean(above**2) / 0.125) < -45

"""Neighbouring gains, filters and reverberations are one response."""

import numpy as np
import pytest
from wave_samples import as_doubles, called, noise

from keras_regopt.augmentation import (
    Compose,
    RandomClipping,
    RandomFilter,
    RandomGain,
    RandomPolarity,
    RandomReverb,
)

RESPONSE = np.array([1.0, 0.0, -0.4, 0.2], "float32")


def layers(**arguments):
    return [
        RandomGain(seed=1, **arguments),
        RandomFilter("high_pass", seed=2, **arguments),
        RandomPolarity(seed=3, **{"rate": 1.0, **arguments}),
        RandomReverb(RESPONSE, seed=4, **arguments),
    ]


def in_turn(audio, lengths, **arguments):
    """What the layers make of the audio, one after the other."""
    for layer in layers(**arguments):
        audio = called(layer, audio.astype("float32"), lengths)
    return audio


@pytest.mark.parametrize("rate", [1.0, 0.6])
def test_one_response_is_all_of_them_in_turn(rate):
    audio, lengths = noise(8, 700), [700] * 7 + [300]
    chain = Compose(layers(rate=rate))
    assert len(chain.stages) == 1
    result = called(chain, audio, lengths)
    # To cut the tail at the end of a clip after each of them or once is the
    # same: no response is heard before its sound.
    expected = in_turn(audio, lengths, rate=rate)
    np.testing.assert_allclose(result, expected, atol=2e-6)
    np.testing.assert_array_equal(result[7, 300:], audio[7, 300:])


@pytest.mark.any_backend
def test_clips_that_no_layer_changes_stay_bit_for_bit():
    audio = noise(60, 100)
    result = called(Compose(layers(rate=0.3)), audio)
    same = np.all(result == audio, axis=1)
    # 0.7 to the fourth, within five standard errors.
    assert abs(same.mean() - 0.24) < 5 * np.sqrt(0.24 * 0.76 / 60)


@pytest.mark.any_backend
def test_gains_alone_are_multiplied():
    audio = noise(3, 50)
    chain = Compose([RandomGain(6.0), RandomPolarity(1.0), RandomGain(-6.0)])
    assert len(chain.stages) == 1
    assert chain.stages[0].layer.tail == 0
    np.testing.assert_allclose(called(chain, audio), -audio, rtol=1e-6)


@pytest.mark.any_backend
def test_what_lies_between_two_keeps_them_apart():
    parts = [RandomGain(), RandomClipping(), RandomGain(), RandomFilter()]
    assert [len(stage.leaves) for stage in Compose(parts).stages] == [1, 1, 2]


@pytest.mark.any_backend
def test_channels_share_a_response():
    audio = noise(2, 300, 2)
    chain = Compose(layers(channels=True))
    both = called(chain, audio)
    swapped = called(Compose(layers(channels=True)), audio[:, :, ::-1])
    np.testing.assert_allclose(both[:, :, ::-1], swapped, atol=1e-6)


@pytest.mark.any_backend
def test_a_gain_is_of_the_whole_clip():
    audio = noise(200, 30)
    result = as_doubles(RandomGain((-12.0, 6.0), seed=0)(audio))
    gains = 20 * np.log10(result / audio)
    np.testing.assert_allclose(gains, gains[:, :1] + 0 * gains, atol=1e-4)
    assert -12.001 < gains.min() < -11.5
    assert 5.5 < gains.max() < 6.001
    assert abs(gains[:, 0].mean() + 3) < 5 * 18 / np.sqrt(12 * 200)


@pytest.mark.any_backend
def test_polarity_keeps_the_energy_and_turns_half():
    audio = noise(100, 20)
    result = called(RandomPolarity(seed=0), audio)
    np.testing.assert_array_equal(np.abs(result), np.abs(audio))
    turned = np.mean(result[:, 0] == -audio[:, 0])
    assert abs(turned - 0.5) < 5 * np.sqrt(0.25 / 100)

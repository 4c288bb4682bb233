import numpy as np
import pytest
from wave_samples import called, noise

from keras_regopt.augmentation import RandomAudioChannelShuffle, RandomReverse


def test_reverses_what_is_valid_and_the_targets():
    audio, clean = noise(3, 50), noise(3, 50, seed=1)
    lengths = [50, 20, 1]
    layer = RandomReverse(rate=1.0)
    outputs = called(layer, audio, lengths, targets=clean)
    for key, waves in (("audio", audio), ("targets", clean)):
        for wave, changed, length in zip(
            waves, outputs[key], lengths, strict=True
        ):
            expected = np.append(wave[:length][::-1], wave[length:])
            np.testing.assert_array_equal(changed, expected)
    np.testing.assert_array_equal(outputs["lengths"], lengths)


@pytest.mark.any_backend
def test_reverses_half_and_keeps_the_energy():
    audio = noise(100, 20)
    result = called(RandomReverse(seed=0), audio)
    np.testing.assert_array_equal(np.sort(result), np.sort(audio))
    turned = np.mean(np.all(result == audio[:, ::-1], axis=1))
    assert abs(turned - 0.5) < 5 * np.sqrt(0.25 / 100)


def test_shuffles_channels_and_the_targets_alike():
    audio = noise(40, 30, 3)
    layer = RandomAudioChannelShuffle(seed=0)
    outputs = called(layer, audio, targets=2 * audio)
    np.testing.assert_array_equal(
        np.sort(outputs["audio"], axis=2), np.sort(audio, axis=2)
    )
    np.testing.assert_array_equal(outputs["targets"], 2 * outputs["audio"])
    orders = {
        tuple(np.argmax(clip == changed[:1].T, axis=1).tolist())
        for clip, changed in zip(
            audio[:, 0, None], outputs["audio"], strict=True
        )
    }
    # All six are drawn; that forty clips miss one has a chance of 0.4 %.
    assert len(orders) == 6


@pytest.mark.any_backend
def test_there_must_be_channels_to_shuffle():
    with pytest.raises(ValueError, match=r"`channels` of .* one of True"):
        RandomAudioChannelShuffle(channels=False)

"""Silence and the shortest of clips, in all layers that keep time."""

import keras
import numpy as np
import pytest
from wave_samples import called, noise

from keras_regopt.augmentation import (
    Compose,
    LoudnessNormalization,
    PeakNormalization,
    RandomAudioChannelShuffle,
    RandomBackgroundNoise,
    RandomClipping,
    RandomFilter,
    RandomGain,
    RandomNoise,
    RandomPolarity,
    RandomQuantize,
    RandomReverb,
    RandomReverse,
    RandomShortNoises,
    RandomTanhDistortion,
)

LAYERS = {
    "gain": lambda: RandomGain(channels=True),
    "polarity": lambda: RandomPolarity(channels=True),
    "reverse": lambda: RandomReverse(channels=True),
    "white": lambda: RandomNoise(channels=True),
    "brown": lambda: RandomNoise(color="brown", channels=True),
    "background": lambda: RandomBackgroundNoise(noise(50), channels=True),
    "short": lambda: RandomShortNoises(noise(50), channels=True),
    "filter": lambda: RandomFilter(channels=True),
    "stop": lambda: RandomFilter("band_stop", channels=True),
    "shelf": lambda: RandomFilter("high_shelf", channels=True),
    "bell": lambda: RandomFilter("peaking", channels=True),
    "decay": lambda: RandomReverb(decay=0.1, channels=True),
    "shoebox": lambda: RandomReverb("shoebox", decay=0.1, channels=True),
    "clipping": lambda: RandomClipping(channels=True),
    "tanh": lambda: RandomTanhDistortion(channels=True),
    "quantize": lambda: RandomQuantize(channels=True),
    "mu_law": lambda: RandomQuantize(encoding="mu_law", channels=True),
    "peak": lambda: PeakNormalization(channels=True),
    "loudness": lambda: LoudnessNormalization(channels=True),
    "shuffle": lambda: RandomAudioChannelShuffle(),
    "chain": lambda: Compose(
        [RandomGain(channels=True), RandomFilter(channels=True)]
    ),
}


@pytest.mark.any_backend
@pytest.mark.parametrize("name", LAYERS)
def test_silence_stays_silence(name):
    silence = np.zeros((3, 200, 2), "float32")
    result = called(LAYERS[name](), silence, [200, 7, 0])
    np.testing.assert_array_equal(result, 0.0)


@pytest.mark.any_backend
@pytest.mark.parametrize("name", LAYERS)
def test_clips_of_one_sample_are_finite(name):
    result = called(LAYERS[name](), noise(2, 1, 2))
    assert result.shape == (2, 1, 2)
    assert np.isfinite(result).all()


@pytest.mark.any_backend
@pytest.mark.parametrize("name", LAYERS)
def test_what_lies_behind_the_valid_samples_is_no_matter(name):
    audio = noise(2, 200, 2)
    other = audio.copy()
    other[:, 120:] = 0.7
    keras.utils.set_random_seed(0)
    first = called(LAYERS[name](), audio, [120, 120])
    keras.utils.set_random_seed(0)
    second = called(LAYERS[name](), other, [120, 120])
    np.testing.assert_allclose(first[:, :120], second[:, :120], atol=2e-6)

import numpy as np
import pytest
from wave_samples import called, noise, power

from keras_regopt.augmentation import (
    RandomClipping,
    RandomQuantize,
    RandomTanhDistortion,
)

LENGTHS = [3000, 1200]


def test_cuts_off_its_share_of_the_samples():
    audio = noise(2, 3000)
    audio[:, 100:200] = 0.0
    result = called(RandomClipping(share=0.15), audio, LENGTHS)
    for clip, cut, length in zip(audio, result, LENGTHS, strict=True):
        inside = np.abs(clip[:length])
        clipped = np.abs(cut[:length]) < inside
        # Of those that are not zero, and to a sample or two.
        assert abs(clipped.sum() - 0.15 * np.sum(inside > 0)) <= 2
        tops = np.abs(cut[:length])[clipped]
        np.testing.assert_allclose(tops, tops[0])
        np.testing.assert_array_equal(
            cut[:length][~clipped], clip[:length][~clipped]
        )
        np.testing.assert_array_equal(cut[length:], clip[length:])


@pytest.mark.any_backend
def test_clipping_nothing_and_everything():
    audio = noise(2, 500)
    same = called(RandomClipping(share=0.0), audio)
    np.testing.assert_array_equal(same, audio)
    nothing = called(RandomClipping(share=1.0), audio)
    # Halved 16 times, the threshold is not quite zero.
    assert np.abs(nothing).max() < 1e-4 * np.abs(audio).max()


@pytest.mark.parametrize("encoding", ["linear", "mu_law"])
def test_leaves_its_number_of_levels(encoding):
    ramp = np.linspace(-1, 1, 3000, dtype="float32")[None]
    result = called(RandomQuantize(bits=5, encoding=encoding), ramp)[0]
    levels = np.unique(result.round(6))
    assert len(levels) == 31
    assert 0 in levels
    np.testing.assert_allclose(levels[[0, -1]], [-1, 1], atol=1e-6)
    steps = np.diff(levels)
    if encoding == "linear":
        np.testing.assert_allclose(steps, 1 / 15, atol=2e-6)
    else:
        # From one step to the next by the same factor, away from zero.
        ratios = steps[16:] / steps[15:-1]
        np.testing.assert_allclose(ratios, 32 ** (1 / 15), rtol=1e-3)
    # To the nearest level; that of the logarithm is not quite the nearest.
    share = 0.5 if encoding == "linear" else 0.53
    assert np.abs(result - ramp[0]).max() <= share * steps.max() + 1e-6


@pytest.mark.any_backend
def test_mu_law_of_8_bits_spares_what_is_soft():
    soft = noise(1, 2000, level=0.01)
    errors = [
        power(called(RandomQuantize(8, encoding), soft) - soft)
        for encoding in ("linear", "mu_law")
    ]
    # Near zero its steps are 255 / log(256) = 46 times as small.
    assert errors[1] < errors[0] / 20


@pytest.mark.any_backend
def test_values_beyond_1_are_cut_off_by_few_bits():
    audio = np.array([[-1.2, 0.0, 1.1]], "float32")
    for encoding in ("linear", "mu_law"):
        result = called(RandomQuantize(4, encoding), audio)
        np.testing.assert_allclose(result, [[-1, 0, 1]], atol=1e-6)


@pytest.mark.any_backend
def test_distorts_at_the_same_level():
    audio = noise(2, 3000)
    audio[1, 1200:] = 1.0
    result = called(RandomTanhDistortion(drive=12.0), audio, LENGTHS)
    for clip, changed, length in zip(audio, result, LENGTHS, strict=True):
        clip, inside = clip[:length], changed[:length]
        np.testing.assert_allclose(power(inside), power(clip), rtol=1e-5)
        shape = np.tanh(10 ** (12 / 20) * clip / np.abs(clip).max())
        ratio = inside / shape
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


@pytest.mark.any_backend
def test_hardly_driven_it_hardly_distorts():
    audio = noise(1, 1000)
    result = called(RandomTanhDistortion(drive=-40.0), audio)
    # tanh(x) is x - x ** 3 / 3, and x is at most 0.01.
    np.testing.assert_allclose(result, audio, rtol=4e-5, atol=1e-7)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomClipping(1.5), "`share` of RandomClipping must be"),
        (lambda: RandomQuantize(1), "`bits` of RandomQuantize must be"),
        (lambda: RandomQuantize(7.5), "`bits` of RandomQuantize must be an"),
        (lambda: RandomQuantize(8, "a_law"), "`encoding` of RandomQuantize"),
        (lambda: RandomTanhDistortion(99), "`drive` of RandomTanhDistortion"),
    ],
)
def test_says_what_is_allowed(make, message):
    with pytest.raises(ValueError, match=message):
        make()

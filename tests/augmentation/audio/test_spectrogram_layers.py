"""Spectrograms with masks and warps, value by value."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    RandomFrequencyWarp,
    RandomTimeShift,
    SpecAugment,
)

NUMBERS = np.random.default_rng(0)
SPECTROGRAMS = NUMBERS.normal(-40, 10, (5, 30, 20)).astype("float32")
LENGTHS = np.array([30, 17, 5, 1, 0])


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def masked(layer, spectrograms=SPECTROGRAMS, lengths=LENGTHS):
    data = {"spectrograms": spectrograms, "lengths": lengths}
    return numpy(layer(data)["spectrograms"])


def test_masks_are_bands_within_the_lengths_filled_with_the_mean():
    layer = SpecAugment(seed=0)
    found = masked(layer)
    for old, new, n in zip(SPECTROGRAMS, found, LENGTHS, strict=True):
        gone = new != old
        assert not gone[n:].any()
        if not n:
            continue
        np.testing.assert_allclose(new[gone], old[:n].mean(), rtol=1e-5)
        frames, bins = gone[:n].all(axis=1), gone[:n].all(axis=0)
        # Nothing but whole frames and whole bins.
        assert gone[:n].sum() == (frames[:, None] | bins[None]).sum()
        assert frames.sum() <= 2 * 0.1 * n
        assert bins.sum() <= 2 * 0.2 * 20
    assert (found[0] != SPECTROGRAMS[0]).any()


@pytest.mark.any_backend
def test_sizes_are_what_they_say_and_a_value_can_fill():
    layer = SpecAugment(
        time_masks=1,
        time_mask_size=(0.5, 0.5),
        frequency_masks=1,
        frequency_mask_size=(0.25, 0.25),
        fill_mode="constant",
        fill_value=-80.0,
        seed=0,
    )
    gone = masked(layer) == -80
    for row, n in zip(gone, LENGTHS, strict=True):
        frames = n // 2
        assert row.sum() == frames * 20 + (n - frames) * 5
    starts = [layer(SPECTROGRAMS)[0] for _ in range(8)]
    starts = {int((numpy(x) == -80).all(axis=1).argmax()) for x in starts}
    assert len(starts) > 3


@pytest.mark.any_backend
def test_without_masks_nothing_changes_and_with_a_warp_the_ends_stay():
    none = {"time_masks": 0, "frequency_masks": 0}
    np.testing.assert_array_equal(masked(SpecAugment(**none)), SPECTROGRAMS)
    ramp = np.arange(30, dtype="float32")[None, :, None]
    ramp = ramp * np.ones((40, 1, 4), "float32")
    lengths = np.full((40,), 21)
    found = masked(SpecAugment(warp=0.3, seed=0, **none), ramp, lengths)
    np.testing.assert_allclose(found[:, 0], 0, atol=1e-4)
    np.testing.assert_allclose(found[:, 20:], ramp[:, 20:], atol=1e-4)
    moved = (found - ramp)[:, :21, 0]
    furthest = np.abs(moved).max(axis=1)
    assert (furthest <= 0.3 * 20 + 1e-3).all()
    assert furthest.mean() > 1.5
    # Later or earlier, each on straight lines.
    assert (np.diff(found[:, :21, 0], axis=1) >= -1e-4).all()
    assert ((moved.max(axis=1) > 1) != (moved.min(axis=1) < -1)).any()


@pytest.mark.any_backend
def test_one_element_does_not_hang_on_its_neighbors():
    options = {"warp": 0.2, "seed": 0}
    both = masked(SpecAugment(**options))
    others = SPECTROGRAMS.copy()
    others[1:] += 7
    np.testing.assert_array_equal(
        masked(SpecAugment(**options), others)[0], both[0]
    )
    behind = SPECTROGRAMS.copy()
    behind[1, 17:] = 1e6
    np.testing.assert_array_equal(
        masked(SpecAugment(**options), behind)[1, :17], both[1, :17]
    )


@pytest.mark.parametrize("scale", ["mel", "linear"])
def test_a_factor_of_1_is_the_identity(scale):
    layer = RandomFrequencyWarp(1.0, scale=scale)
    found = numpy(layer(SPECTROGRAMS))
    # Of values that differ by ten from bin to bin.
    np.testing.assert_allclose(found, SPECTROGRAMS, atol=0.01)


@pytest.mark.any_backend
def test_each_spectrogram_draws_a_factor_between_the_two():
    bins = 201
    wave = np.exp(-0.5 * ((np.arange(bins) - 80) / 3) ** 2)
    wave = np.tile(wave.astype("float32"), (30, 2, 1))
    layer = RandomFrequencyWarp((0.8, 1.2), scale="linear", seed=0)
    peaks = numpy(layer(wave)).argmax(axis=2)
    assert (peaks[:, 0] == peaks[:, 1]).all()
    assert peaks.min() >= 0.8 * 80 - 1
    assert peaks.max() <= 1.2 * 80 + 1
    assert len(np.unique(peaks)) > 10
    np.testing.assert_allclose(peaks.mean(), 80, atol=5)


@pytest.mark.any_backend
def test_bins_may_come_first():
    for layer in (SpecAugment, RandomFrequencyWarp):
        last = numpy(layer(seed=0)(SPECTROGRAMS))
        swapped = SPECTROGRAMS.transpose(0, 2, 1)
        first = numpy(layer(bins_first=True, seed=0)(swapped))
        np.testing.assert_array_equal(first.transpose(0, 2, 1), last)


def pipeline(make=keras.Sequential):
    mel = keras.layers.MelSpectrogram(
        64, 32, sampling_rate=8000, num_mel_bins=20
    )
    return make(
        [
            RandomTimeShift(seed=0),
            mel,
            SpecAugment(bins_first=True, seed=0),
        ]
    )


AUDIO = NUMBERS.normal(0, 0.1, (4, 640)).astype("float32")


def test_a_pipeline_of_waves_and_spectrograms_augments_without_a_hint():
    make = keras.layers.Pipeline
    if keras.backend.backend() == "tensorflow":
        make = keras.Sequential
    layer = pipeline(make)
    dataset = tf.data.Dataset.from_tensors(AUDIO).map(layer)
    found = next(iter(dataset)).numpy()
    resting = numpy(pipeline(make)(AUDIO, training=False))
    assert found.shape == resting.shape == (4, 20, 21)
    changed = (np.abs(found - resting) > 1e-3).any(axis=(1, 2))
    assert changed.all()
    acting = numpy(pipeline()(AUDIO))
    assert (np.abs(acting - resting) > 1e-3).any()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpecAugment(time_masks=-1), "`time_masks` of SpecAugment"),
        (lambda: SpecAugment(time_mask_size=2), "`time_mask_size` of Spec"),
        (lambda: SpecAugment(warp=0.6), "`warp` of SpecAugment"),
        (lambda: SpecAugment(fill_mode="noise"), "'mean', 'constant'"),
        (lambda: RandomFrequencyWarp(0.1), "`factor` of RandomFrequencyWarp"),
        (lambda: RandomFrequencyWarp(boundary=1), "`boundary` of"),
        (lambda: RandomFrequencyWarp(scale="bark"), "'mel', 'linear'"),
        (
            lambda: RandomFrequencyWarp(min_frequency=9000.0),
            "`max_frequency` of RandomFrequencyWarp must be a number > 9000",
        ),
    ],
)
def test_arguments_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

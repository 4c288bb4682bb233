"""Reading at other times, spans and warps, against NumPy."""

import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation.audio.functional import _spectrogram_warps
from keras_regopt.augmentation.audio.functional._spans import (
    gains_outside,
    in_spans,
    spans,
)
from keras_regopt.augmentation.audio.functional._times import (
    between_times,
    cut,
    ends_faded,
    shifted,
)

CLIPS = np.random.default_rng(0).normal(0, 1, (3, 12, 2)).astype("float32")
LENGTHS = np.array([12, 7, 1], "int32")
STEPS = np.array([5, -3, 0], "int32")


def numpy(x):
    return ops.convert_to_numpy(x)


def tensor(x):
    return ops.convert_to_tensor(x)


def shift(wraps, clips=CLIPS, steps=STEPS):
    return shifted(tensor(clips), tensor(steps), tensor(LENGTHS), wraps)


def test_what_is_valid_is_rolled_and_padding_stays():
    moved = numpy(shift(wraps=True)[0])
    for clip, found, steps, n in zip(CLIPS, moved, STEPS, LENGTHS, strict=True):
        expected = np.roll(clip[:n], steps, axis=0)
        np.testing.assert_array_equal(found[:n], expected)
        np.testing.assert_array_equal(found[n:], clip[n:])


def test_without_wrapping_zeros_follow():
    moved = numpy(shift(wraps=False)[0])
    np.testing.assert_array_equal(moved[0, :5], 0)
    np.testing.assert_array_equal(moved[0, 5:], CLIPS[0, :7])
    np.testing.assert_array_equal(moved[1, :4], CLIPS[1, 3:7])
    np.testing.assert_array_equal(moved[1, 4:7], 0)
    np.testing.assert_array_equal(moved[1, 7:], CLIPS[1, 7:])


@pytest.mark.any_backend
@pytest.mark.parametrize("steps", [12, -12])
def test_a_shift_by_the_whole_length_leaves_nothing_or_all(steps):
    steps = np.array([steps, np.sign(steps) * 7, np.sign(steps)], "int32")
    np.testing.assert_array_equal(numpy(shift(True, steps=steps)[0]), CLIPS)
    moved = numpy(shift(False, steps=steps)[0])
    for found, n in zip(moved, LENGTHS, strict=True):
        np.testing.assert_array_equal(found[:n], 0)


@pytest.mark.any_backend
def test_the_old_ends_are_faded_where_they_are_now():
    moved, source = shift(wraps=True, clips=np.ones_like(CLIPS))
    faded = numpy(ends_faded(moved, source, tensor(LENGTHS), 2))[0, :, 0]
    low, high = 0.5 - 0.5 * np.cos(np.pi * np.array([0.25, 0.75]))
    expected = [1, 1, 1, high, low, low, high, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(faded, expected, atol=1e-6)


def test_pieces_are_cut_and_short_clips_filled_up():
    start = np.array([4, 0, 0], "int32")
    arguments = tensor(CLIPS), tensor(start), tensor(LENGTHS), 8
    piece = numpy(cut(*arguments, repeats=False))
    np.testing.assert_array_equal(piece[0], CLIPS[0, 4:])
    np.testing.assert_array_equal(piece[1, :7], CLIPS[1, :7])
    np.testing.assert_array_equal(piece[1, 7:], 0)
    piece = numpy(cut(*arguments, repeats=True))
    np.testing.assert_array_equal(piece[1, 7], CLIPS[1, 0])
    np.testing.assert_array_equal(piece[2], np.tile(CLIPS[2, :1], (8, 1)))


@pytest.mark.any_backend
def test_between_two_times_lies_a_straight_line():
    position = np.array([[0.0, 2.25, 11.0, 30.0, -1.0]] * 3, "float32")
    found = numpy(between_times(tensor(CLIPS), tensor(position)))
    expected = 0.75 * CLIPS[:, 2] + 0.25 * CLIPS[:, 3]
    np.testing.assert_allclose(found[:, 1], expected, atol=1e-6)
    np.testing.assert_array_equal(found[:, [0, 4]], CLIPS[:, [0, 0]])
    np.testing.assert_array_equal(found[:, [2, 3]], CLIPS[:, [11, 11]])


@pytest.mark.any_backend
@pytest.mark.parametrize("place", [0.0, 0.37, 0.99999994])
def test_spans_are_within_their_lengths(place):
    size = np.array([[0.3, 0.0, 1.0]] * 4, "float32")
    lengths = np.array([10, 7, 1, 0])
    start, end = spans(
        tensor(size), tensor(np.full_like(size, place)), tensor(lengths)
    )
    start, end = numpy(start), numpy(end)
    assert (start >= 0).all()
    assert (end <= lengths[:, None]).all()
    widths = [[3, 0, 10], [2, 0, 7], [0, 0, 1], [0, 0, 0]]
    np.testing.assert_array_equal(end - start, widths)
    inside = numpy(in_spans(10, tensor(start), tensor(end)))
    np.testing.assert_array_equal(inside.sum(axis=1), lengths)


@pytest.mark.any_backend
@pytest.mark.parametrize("samples", [0, 1, 2, 100])
def test_a_gain_is_0_in_a_span_and_1_outside_with_fades_within(samples):
    start = tensor(np.array([[2.0, 8.0]], "float32"))
    end = tensor(np.array([[6.0, 8.0]], "float32"))
    gain = numpy(gains_outside(10, start, end, samples))[0]
    np.testing.assert_allclose(np.delete(gain, range(2, 6)), 1, atol=1e-7)
    inside = gain[2:6]
    np.testing.assert_allclose(inside, inside[::-1], atol=1e-6)
    if samples < 2:
        # Half a sample deep, a fade of one is at its middle.
        np.testing.assert_allclose(inside[[0, 3]], 0.5 * samples, atol=1e-6)
        np.testing.assert_allclose(inside[1:3], 0, atol=1e-6)
    else:
        # Longer than half of the span, fades meet in its middle.
        low, high = 0.5 + 0.5 * np.cos(np.pi * np.array([0.75, 0.25]))
        np.testing.assert_allclose(inside[:2], [high, low], atol=1e-6)


SPECTROGRAMS = np.random.default_rng(1).normal(0, 1, (2, 11, 6))
SPECTROGRAMS = SPECTROGRAMS.astype("float32")


def time_warp(spectrograms, center, shift, lengths=(11, 7)):
    pairs = ([value] * 2 for value in (center, shift))
    return numpy(
        _spectrogram_warps.time_warped(
            tensor(spectrograms),
            *(tensor(np.array(pair, "float32")) for pair in pairs),
            tensor(np.array(lengths, "int32")),
        )
    )


def test_a_warp_of_time_moves_one_frame_and_keeps_both_ends():
    ramp = np.arange(11, dtype="float32")[None, :, None]
    ramp = ramp * np.ones((2, 1, 6), "float32")
    found = time_warp(ramp, 0.4, 0.2)
    # Frame 4 of 0 to 10 is frame 6 now.
    np.testing.assert_allclose(found[0, [0, 3, 6, 8, 10], 0], [0, 2, 4, 7, 10])
    np.testing.assert_allclose(found[1, [0, 6], 0], [0, 6], atol=1e-5)
    np.testing.assert_array_equal(found[1, 7:], ramp[1, 7:])


@pytest.mark.any_backend
def test_no_warp_of_time_is_the_identity_and_the_greatest_finite():
    found = time_warp(SPECTROGRAMS, 0.3, 0.0)
    np.testing.assert_allclose(found, SPECTROGRAMS, atol=1e-5)
    for center, amount in ((0.4, -0.4), (0.6, 0.4), (0.0, 0.0)):
        for lengths in ((11, 7), (1, 0)):
            found = time_warp(SPECTROGRAMS, center, amount, lengths)
            assert np.abs(found).max() <= np.abs(SPECTROGRAMS).max()


SCALES = {
    "linear": lambda bins: _spectrogram_warps.linear_scale(bins),
    "mel": lambda bins: _spectrogram_warps.mel_scale(bins, 20.0, 8000.0),
}


def frequency_warp(spectrograms, factor, scale, boundary=0.6):
    factor = np.full((len(spectrograms),), factor, "float32")
    return numpy(
        _spectrogram_warps.frequency_warped(
            tensor(spectrograms), tensor(factor), scale, boundary
        )
    )


@pytest.mark.parametrize("name", SCALES)
def test_a_factor_of_1_leaves_frequencies_where_they_are(name):
    scale = SCALES[name](6)
    found = frequency_warp(SPECTROGRAMS, 1.0, scale)
    np.testing.assert_allclose(found, SPECTROGRAMS, atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.25])
def test_a_peak_moves_by_the_factor_up_to_the_boundary(name, factor):
    bins = 401
    frequencies, bins_of, top = SCALES[name](bins)
    peak = 0.2 * top
    center = bins_of(np.float32(peak) if name == "linear" else tensor(peak))
    wave = np.exp(-0.5 * ((np.arange(bins) - float(center)) / 4) ** 2)
    wave = wave.astype("float32")[None, None]
    found = frequency_warp(wave, factor, (frequencies, bins_of, top))[0, 0]
    at = frequencies[found.argmax()]
    # Within a bin.
    step = np.gradient(frequencies)[found.argmax()]
    assert abs(at - factor * peak) <= step
    np.testing.assert_allclose(found.max(), 1, atol=0.01)


@pytest.mark.any_backend
def test_mel_bins_are_those_of_keras():
    import keras

    layer = keras.layers.MelSpectrogram(num_mel_bins=40, sampling_rate=16000)
    matrix = layer.linear_to_mel_weight_matrix(40, 8001, 16000, 20.0, 8000.0)
    peaks = numpy(matrix).argmax(axis=0)
    frequencies, _, _ = _spectrogram_warps.mel_scale(40, 20.0, 8000.0)
    # The matrix has a row for each hertz.
    assert np.abs(frequencies - peaks).max() <= 1

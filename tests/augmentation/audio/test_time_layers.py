"""Clips that are shifted, masked, cut and mixed, sample by sample."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    AudioCutMix,
    AudioMixUp,
    RandomAudioCrop,
    RandomTimeMask,
    RandomTimeShift,
)

CLIPS = np.random.default_rng(0).uniform(-0.9, 0.9, (6, 400))
CLIPS = CLIPS.astype("float32")
LENGTHS = np.array([400, 300, 77, 1, 399, 0])
DATA = {"audio": CLIPS, "lengths": LENGTHS, "targets": 0.5 * CLIPS}
PAIRS = pytest.mark.parametrize("make", [AudioMixUp, AudioCutMix])


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def called(layer, data=DATA, **options):
    return {k: numpy(v) for k, v in layer(data, **options).items()}


def test_a_roll_keeps_every_sample_and_each_clip_has_its_own():
    outputs = called(RandomTimeShift(seed=0))
    shifts = []
    for clip, moved, n in zip(CLIPS, outputs["audio"], LENGTHS, strict=True):
        np.testing.assert_array_equal(np.sort(moved[:n]), np.sort(clip[:n]))
        np.testing.assert_array_equal(moved[n:], clip[n:])
        if n > 1:
            steps = int(np.flatnonzero(moved == clip[0])[0])
            steps = steps - n if steps > n / 2 else steps
            assert abs(steps) <= 0.25 * n + 0.5
            np.testing.assert_array_equal(moved[:n], np.roll(clip[:n], steps))
            shifts.append(steps / n)
    assert len(np.unique(np.round(shifts, 2))) == 4
    # The targets make the same move.
    np.testing.assert_array_equal(outputs["targets"], 0.5 * outputs["audio"])
    np.testing.assert_array_equal(outputs["lengths"], LENGTHS)


@pytest.mark.any_backend
@pytest.mark.parametrize("part", [0.25, -0.25])
def test_padding_leaves_silence_and_fades_reach_as_far_as_they_say(part):
    layer = RandomTimeShift(
        (part, part), mode="pad", fade=0.01, sample_rate=1000
    )
    ones = np.ones((1, 400), "float32")
    moved = numpy(layer(ones))[0][:: 1 if part > 0 else -1]
    np.testing.assert_array_equal(moved[:100], 0)
    assert (np.diff(moved[100:110]) > 0).all()
    np.testing.assert_allclose(moved[110:390], 1, atol=1e-6)
    still = RandomTimeShift((0, 0), fade=0.01, sample_rate=1000)
    np.testing.assert_array_equal(numpy(still(ones)), ones)


def test_masks_are_within_lengths_and_as_long_as_they_say():
    ones = np.ones((64, 200), "float32")
    lengths = np.arange(64) * 200 // 63
    data = {"audio": ones, "lengths": lengths, "targets": ones}
    layer = RandomTimeMask(size=(0.1, 0.3), fade=0.0, seed=1)
    outputs = called(layer, data)
    gone = outputs["audio"] == 0
    np.testing.assert_array_equal(gone | (outputs["audio"] == 1), True)
    shares = []
    for row, n in zip(gone, lengths, strict=True):
        assert not row[n:].any()
        edges = np.flatnonzero(np.diff(np.pad(row, 1).astype("int8")))
        assert len(edges) <= 2, "one span"
        assert 0.1 * n - 1 <= row.sum() <= 0.3 * n
        shares.append(row.sum() / max(n, 1))
    # Even from 0.1 to 0.3.
    np.testing.assert_allclose(np.mean(shares[20:]), 0.2, atol=0.03)
    starts = [
        row.argmax() / n for row, n in zip(gone, lengths, strict=True) if n > 20
    ]
    assert np.std(starts) > 0.15
    np.testing.assert_array_equal(outputs["targets"], 1)


@pytest.mark.any_backend
def test_a_fade_is_within_the_mask():
    ones = np.ones((1, 200), "float32")
    options = {"size": (0.5, 0.5), "seed": 2}
    hard = numpy(RandomTimeMask(fade=0.0, **options)(ones))[0]
    soft = numpy(RandomTimeMask(fade=0.02, sample_rate=1000, **options)(ones))[
        0
    ]
    np.testing.assert_allclose(soft[hard == 1], 1, atol=1e-6)
    inside = soft[hard == 0]
    assert len(inside) == 100
    np.testing.assert_allclose(inside[20:80], 0, atol=1e-6)
    assert (np.diff(inside[:20]) < 0).all()
    assert (np.diff(inside[80:]) > 0).all()


@pytest.mark.any_backend
def test_masks_may_be_several():
    ones = np.ones((1, 4000), "float32")
    layer = RandomTimeMask(size=(0.01, 0.01), masks=3, fade=0.0, seed=3)
    row = numpy(layer(ones))[0] == 0
    edges = np.flatnonzero(np.diff(np.pad(row, 1).astype("int8")))
    np.testing.assert_array_equal(np.diff(edges)[::2], 40)
    assert len(edges) == 6


def test_a_crop_is_a_piece_and_lengths_say_how_much_is_heard():
    outputs = called(RandomAudioCrop(80, seed=0))
    assert outputs["audio"].shape == (6, 80)
    np.testing.assert_array_equal(outputs["targets"], 0.5 * outputs["audio"])
    np.testing.assert_array_equal(outputs["lengths"], np.minimum(LENGTHS, 80))
    starts = []
    for clip, piece, n in zip(CLIPS, outputs["audio"], LENGTHS, strict=True):
        np.testing.assert_array_equal(piece[n:], 0)
        if n < 80:
            np.testing.assert_array_equal(piece[:n], clip[:n])
            continue
        (start,) = np.flatnonzero(clip == piece[0])
        starts.append(start)
        assert start + 80 <= n
        np.testing.assert_array_equal(piece, clip[start : start + 80])
    assert len(set(starts)) == len(starts)


@pytest.mark.any_backend
def test_in_inference_a_crop_is_the_middle_and_may_repeat_the_clip():
    data = {"audio": np.tile(np.arange(10.0) / 10, (2, 1))}
    data["lengths"] = np.array([10, 3])
    piece = called(RandomAudioCrop(4), data, training=False)
    np.testing.assert_allclose(piece["audio"][0], [0.3, 0.4, 0.5, 0.6])
    np.testing.assert_allclose(piece["audio"][1], [0, 0.1, 0.2, 0])
    np.testing.assert_array_equal(piece["lengths"], [4, 3])
    piece = called(RandomAudioCrop(12, "wrap"), data, training=False)
    expected = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]) / 10
    np.testing.assert_allclose(piece["audio"][0], expected, atol=1e-6)
    expected = np.tile([0, 0.1, 0.2], 4)
    np.testing.assert_allclose(piece["audio"][1], expected, atol=1e-6)
    np.testing.assert_array_equal(piece["lengths"], [12, 12])


@pytest.mark.any_backend
def test_a_crop_of_clips_whose_length_is_open_has_a_known_one():
    dataset = tf.data.Dataset.from_tensors(CLIPS)
    dataset = dataset.map(lambda x: tf.ensure_shape(x, (None, None)))
    dataset = dataset.map(RandomAudioCrop(80, seed=0))
    assert dataset.element_spec.shape[1] == 80
    piece = next(iter(dataset)).numpy()[0]
    start = np.flatnonzero(CLIPS[0] == piece[0])[0]
    np.testing.assert_array_equal(piece, CLIPS[0, start : start + 80])
    assert RandomAudioCrop(80).compute_output_shape((None, 9)) == (None, 80)


def one_hot(count):
    return np.eye(count, dtype="float32")


@PAIRS
def test_labels_are_mixed_as_the_clips_are(make):
    # The amplitude of each clip tells which it is.
    heard = np.ones((6, 100, 1), "float32") * one_hot(6)[:, None, :]
    labels = np.arange(6)
    data = {"audio": heard, "labels": labels, "targets": heard}
    layer = make(alpha=1.0, num_classes=6, channels=True, seed=0)
    outputs = called(layer, data)
    means = outputs["audio"].mean(axis=1)
    np.testing.assert_allclose(outputs["labels"], means, atol=1e-5)
    np.testing.assert_array_equal(outputs["targets"], outputs["audio"])
    assert (outputs["labels"].max(axis=1) < 1).sum() >= 5
    assert len(np.unique(np.round(outputs["labels"].max(axis=1), 3))) > 3


@pytest.mark.any_backend
def test_both_may_follow_one_another_each_for_some_of_the_clips():
    data = {
        "audio": np.ones((30, 100, 1), "float32") * one_hot(30)[:, None, :],
        "labels": np.arange(30),
    }
    options = {"num_classes": 30, "rate": 0.5, "channels": True}
    blended = AudioMixUp(1.0, seed=0, **options)(data)
    outputs = called(AudioCutMix(seed=1, **options), blended)
    means = outputs["audio"].mean(axis=1)
    np.testing.assert_allclose(outputs["labels"], means, atol=1e-5)
    parts = (outputs["labels"] > 0).sum(axis=1)
    assert set(parts) >= {1, 2, 3}


@PAIRS
@pytest.mark.any_backend
def test_what_is_behind_the_lengths_is_never_heard(make):
    valid = np.arange(100)[None] < np.array([100, 50, 70, 10])[:, None]
    audio = np.where(valid[..., None], one_hot(4)[:, None, :], -1.0)
    data = {
        "audio": audio.astype("float32"),
        "lengths": valid.sum(axis=1),
        "labels": one_hot(4),
    }
    outputs = called(make(alpha=1.0, channels=True, seed=1), data)
    for clip, label, n, old in zip(
        outputs["audio"],
        outputs["labels"],
        outputs["lengths"],
        data["lengths"],
        strict=True,
    ):
        assert clip[:n].min() >= 0
        assert n >= old
        if make is AudioCutMix:
            assert n == old
            np.testing.assert_allclose(clip[:n].mean(axis=0), label, atol=1e-5)


@PAIRS
@pytest.mark.any_backend
def test_a_spared_clip_and_inference_keep_clips_and_one_hot_labels(make):
    data = {"audio": CLIPS, "labels": np.arange(6)}
    for options in ({"training": False}, {}):
        rate = 1.0 if options else 0.0
        outputs = called(make(num_classes=6, rate=rate), data, **options)
        np.testing.assert_array_equal(outputs["audio"], CLIPS)
        np.testing.assert_array_equal(outputs["labels"], one_hot(6))


@PAIRS
@pytest.mark.any_backend
def test_a_single_clip_and_integers_without_classes_are_refused(make):
    with pytest.raises(ValueError, match=r"`ds\.batch\(64\)\.map\(layer\)`"):
        make()(CLIPS[0])
    with pytest.raises(ValueError, match="Set `num_classes`"):
        make()({"audio": CLIPS, "labels": np.arange(6)})
    with pytest.raises(ValueError, match="as many as the audio, 6"):
        make()({"audio": CLIPS, "labels": np.zeros((5, 2))})


@PAIRS
@pytest.mark.any_backend
@pytest.mark.filterwarnings("default")
def test_bare_clips_are_mixed_with_a_warning(make):
    layer = make()
    with pytest.warns(UserWarning, match="mixes these clips, but not their"):
        layer(CLIPS)


@pytest.mark.any_backend
def test_an_even_blend_has_even_weights_and_a_sharp_one_hardly_any():
    data = {"audio": np.tile(CLIPS, (40, 1)), "labels": np.zeros((240, 1))}
    data["labels"][::2] = 1.0
    spread = []
    for alpha in (0.1, 1.0, 50.0):
        layer = AudioMixUp(alpha, seed=0)
        weights = numpy(layer.sample((240, 400, 1), seed=1)["weights"])
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        spread.append(weights[:, 0].std())
    # The standard deviation of Beta(a, a) is 1 / (2 sqrt(2 a + 1)).
    expected = 0.5 / np.sqrt(2 * np.array([0.1, 1.0, 50.0]) + 1)
    np.testing.assert_allclose(spread, expected, rtol=0.15)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomTimeShift(1.5), "`shift` of RandomTimeShift"),
        (lambda: RandomTimeShift(mode="wrap"), "one of 'roll', 'pad'"),
        (lambda: RandomTimeShift(fade=-1), "`fade` of RandomTimeShift"),
        (lambda: RandomTimeShift(sample_rate=0), "`sample_rate` of"),
        (lambda: RandomTimeMask((0.5, 0.2)), "`size` of RandomTimeMask"),
        (lambda: RandomTimeMask(masks=0), "an integer >= 1"),
        (lambda: RandomAudioCrop(0), "`length` of RandomAudioCrop"),
        (lambda: RandomAudioCrop(9, "reflect"), "'constant', 'wrap'"),
        (lambda: AudioMixUp(0.0), "`alpha` of AudioMixUp"),
        (lambda: AudioCutMix(num_classes=1), "`num_classes` of AudioCutMix"),
    ],
)
def test_arguments_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from synthetic_voice import compiled, decibels, frequency_of, tone

from keras_regopt.augmentation import (
    Compose,
    RandomPitchShift,
    RandomResample,
    RandomSpeed,
    RandomTimeStretch,
)

LAYERS = (RandomTimeStretch, RandomPitchShift, RandomSpeed)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def shifted(clip, semitones, rate):
    """One clip at several pitches."""
    layer = RandomPitchShift((-12, 12), sample_rate=rate)
    count = len(semitones)
    pitch = 2.0 ** (np.asarray(semitones) / 12)
    parameters = {
        "pace": ops.ones(count),
        "pitch": ops.convert_to_tensor(pitch.astype("float32")),
        "lengths": ops.full((count,), len(clip), dtype="int32"),
    }
    clips = np.repeat(clip[None, :, None], count, axis=0)
    result = compiled(layer.apply)(ops.convert_to_tensor(clips), parameters)
    return numpy(result)[..., 0]


def assert_shifted(results, semitones, rate, margin):
    for result, steps in zip(results, semitones, strict=True):
        inner = result[margin:-margin]
        wanted = 440 * 2 ** (steps / 12)
        cents = 1200 * np.log2(frequency_of(inner, rate) / wanted)
        assert abs(cents) < 1, (rate, steps, cents)
        # By a window, since the ends are within a period.
        weights = np.hanning(len(inner)) ** 2
        power = np.sum(weights * inner**2) / np.sum(weights)
        assert abs(decibels(power / 0.125)) < 0.1, (rate, steps)


def test_a_tone_is_shifted_to_a_cent():
    semitones = (-12, -3, 3, 7)
    results = shifted(tone(440, 8000), semitones, 16000)
    assert_shifted(results, semitones, 16000, 1000)


@pytest.mark.any_backend
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_so_it_is_by_quarters_of_a_semitone(rate):
    semitones = np.arange(-4, 4.25, 0.25)
    results = shifted(tone(440, rate // 2, rate), semitones, rate)
    assert_shifted(results, semitones, rate, rate // 16)


@pytest.mark.any_backend
def test_lengths_and_targets_follow_and_the_array_keeps_its_length():
    clips = np.stack([tone(440, 4000), tone(300, 4000)])
    clips[1, 2000:] = 0.3
    lengths = np.array([4000, 2000])
    data = {"audio": clips, "targets": 0.5 * clips, "lengths": lengths}
    for layer, expected in (
        (RandomTimeStretch(1.25), [3200, 1600]),
        (RandomTimeStretch(0.8), [4000, 2500]),
        (RandomSpeed(1.1), [3637, 1819]),
        (RandomSpeed(0.75), [4000, 2667]),
        (RandomPitchShift(5), [4000, 2000]),
        (RandomPitchShift(-5), [4000, 2000]),
    ):
        result = {key: numpy(value) for key, value in layer(data).items()}
        assert result["lengths"].tolist() == expected
        assert result["audio"].shape == (2, 4000)
        np.testing.assert_allclose(
            result["targets"], 0.5 * result["audio"], rtol=0, atol=1e-5
        )
        for row, end in enumerate(expected):
            assert (result["audio"][row, end:] == 0).all()
            assert abs(result["audio"][row, end - 500 : end]).max() > 0.3


@pytest.mark.any_backend
def test_speed_changes_pace_and_pitch():
    result = numpy(RandomSpeed(1.1)(tone(500, 8000)))
    assert abs(frequency_of(result[500:7000]) - 550) < 0.1
    assert (result[7274:] == 0).all()


def test_neighbours_are_one_vocoder_and_one_resampling():
    layers = [RandomTimeStretch(1.2), RandomSpeed(0.9), RandomPitchShift(3)]
    chain = Compose(layers)
    assert len(chain.stages) == 1
    clips = np.tile(tone(440, 8000), (2, 1))
    data = {"audio": clips, "lengths": np.array([8000, 4000])}
    result = chain(data, training=True)
    audio, lengths = numpy(result["audio"]), numpy(result["lengths"])
    assert lengths.tolist() == [7408, 3704]
    wanted = 440 * 0.9 * 2 ** (3 / 12)
    cents = 1200 * np.log2(frequency_of(audio[0, 500:7000]) / wanted)
    assert abs(cents) < 1
    level = np.mean(audio[0, 500:7000] ** 2) / 0.125
    assert abs(decibels(level)) < 0.1
    assert (audio[1, 3704:] == 0).all()


@pytest.mark.any_backend
def test_what_undoes_itself_leaves_the_clip():
    chain = Compose([RandomSpeed(0.5), RandomTimeStretch(2.0)])
    clip = tone(440, 6000)
    result = numpy(chain(clip, training=True))
    # Slower and lower, then faster: an octave lower in the same time.
    assert abs(frequency_of(result[500:-500]) - 220) < 0.1
    assert abs(result[-300:]).max() > 0.3


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
def test_clips_that_rate_spares_stay_to_the_bit(cls):
    clips = np.random.default_rng(0).uniform(-0.5, 0.5, (12, 900))
    clips = clips.astype("float32")
    for layer in (
        cls(rate=0.5, seed=1),
        Compose([cls(rate=0.3, seed=1), RandomTimeStretch(rate=0.3, seed=2)]),
    ):
        result = numpy(layer(clips, training=True))
        same = (result == clips).all(axis=1)
        assert 1 < same.sum() < 11


@pytest.mark.any_backend
def test_draws_are_even_on_the_scale_of_logarithms():
    shape = (4000, 100, 1)
    pace = numpy(RandomTimeStretch((0.5, 2.0)).sample(shape, seed=1)["pace"])
    assert pace.min() > 0.5
    assert pace.max() < 2
    assert abs(np.mean(pace < 1) - 0.5) < 0.03
    speed = RandomSpeed((0.5, 2.0)).sample(shape, seed=1)
    np.testing.assert_array_equal(numpy(speed["pace"]), pace)
    np.testing.assert_array_equal(numpy(speed["pitch"]), pace)
    pitch = RandomPitchShift((-12, 12)).sample(shape, seed=1)["pitch"]
    np.testing.assert_allclose(numpy(pitch), pace, rtol=1e-5)
    cutoff = RandomResample((4000, 16000)).sample(shape, seed=1)["cutoff"]
    np.testing.assert_allclose(numpy(cutoff), pace / 2, rtol=1e-5)


@pytest.mark.any_backend
def test_channels_and_16_bits():
    clip = tone(440, 6000)
    stereo = np.stack([clip, -0.5 * clip], axis=-1)
    result = numpy(RandomPitchShift(4, channels=True)(stereo))
    np.testing.assert_allclose(
        result[:, 1], -0.5 * result[:, 0], rtol=0, atol=1e-5
    )
    mono = numpy(RandomPitchShift(4)(clip))
    np.testing.assert_allclose(result[:, 0], mono, rtol=0, atol=1e-4)
    bits = np.round(clip * 32767).astype("int16")
    layer = RandomPitchShift(4, value_range=(-32768, 32768))
    result = numpy(layer(bits))
    assert result.dtype == np.int16
    np.testing.assert_allclose(result / 32767, mono, rtol=0, atol=1e-3)


@pytest.mark.any_backend
def test_resampling_leaves_what_the_lower_rate_can_hold():
    clip = tone(1000, 6000) + tone(5000, 6000)
    lengths = np.array([5000])
    data = {"audio": clip[None], "targets": clip[None], "lengths": lengths}
    result = RandomResample(8000)(data)
    audio = numpy(result["audio"])[0]
    error = audio[300:4700] - tone(1000, 6000)[300:4700]
    assert decibels(np.mean(error**2) / 0.125) < -45
    assert (audio[5000:] == 0).all()
    np.testing.assert_array_equal(numpy(result["targets"])[0], clip)


@pytest.mark.any_backend
def test_a_length_that_is_not_known_is_refused():
    signature = tf.TensorSpec((None, None), "float32")
    clips = tf.data.Dataset.from_generator(
        lambda: iter([np.zeros((2, 900), "float32")]),
        output_signature=signature,
    )
    for layer in (RandomTimeStretch(), RandomResample()):
        with pytest.raises(ValueError, match="must know the length"):
            clips.map(layer)
    known = clips.map(lambda x: tf.ensure_shape(x, (None, 900)))
    (result,) = known.map(RandomTimeStretch())
    assert result.shape == (2, 900)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: RandomTimeStretch(tempo=0.2), "tempo"),
        (lambda: RandomTimeStretch(tempo=(1.2, 0.9)), "tempo"),
        (lambda: RandomTimeStretch(sample_rate=16), "sample_rate"),
        (lambda: RandomPitchShift(semitones=(-25, 0)), "semitones"),
        (lambda: RandomPitchShift(sample_rate="16k"), "sample_rate"),
        (lambda: RandomSpeed(speed=5), "speed"),
        (lambda: RandomSpeed(speed=(0.9, 1.0, 1.1)), "speed"),
        (lambda: RandomResample(lower_rate=20000), "lower_rate"),
    ],
)
def test_bad_arguments_are_named(make, argument):
    with pytest.raises(ValueError, match=f"`{argument}` of"):
        make()

import keras
import numpy as np
import pytest
from wave_samples import SAMPLE_RATE, called, decibels, impulse, noise

from keras_regopt.augmentation import RandomReverb


def decay_of(response):
    """Seconds in which a response falls by 60 dB, from -5 to -25 of them."""
    left = decibels(np.cumsum(response[::-1] ** 2)[::-1] + 1e-30)
    level = left[0]
    first, last = (np.argmax(left < level - fall) for fall in (5, 25))
    return 3 * (last - first) / SAMPLE_RATE


def test_the_response_of_one_sample_is_the_identity():
    audio = noise(2, 1000)
    layer = RandomReverb(np.array([1.0, 0.0, 0.0], "float32"))
    # The peak is 0.4: single precision leaves 1e-7 of it.
    np.testing.assert_allclose(called(layer, audio), audio, atol=1e-6)


def test_is_the_convolution_from_the_direct_sound_on():
    audio = noise(2, 500)
    response = np.array([0.0, 0.0, 0.01, 0.8, 0.0, -0.4, 0.2], "float32")
    heard = response[3:] / np.linalg.norm(response[3:])
    expected = [np.convolve(clip, heard)[:500] for clip in audio]
    result = called(RandomReverb(response), audio)
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.any_backend
def test_noise_fades_as_it_should():
    layer = RandomReverb(decay=0.4, direct=6.0, seed=0)
    response = called(layer, impulse(12000))[0]
    # A response is heard in full after `decay`: 60 dB.
    assert abs(np.sum(response**2) - 1) < 1e-4
    direct, rest = response[0] ** 2, np.sum(response[1:] ** 2)
    assert abs(decibels(direct / rest) - 6) < 0.01
    # The decay of 2,000 samples of noise is known to within 5 %.
    assert abs(decay_of(response[1:]) / 0.4 - 1) < 0.1


@pytest.mark.any_backend
def test_rooms_fade_as_they_should_and_differ():
    layer = RandomReverb("shoebox", decay=0.5)
    rooms = list(layer.recordings)
    assert len(rooms) == 32
    for response in rooms:
        assert response[0] > 0
        assert abs(np.sum(response.astype("float64") ** 2) - 1) < 1e-5
    # Of single rooms, the images alone vary by a tenth.
    decays = [decay_of(response[1:].astype("float64")) for response in rooms]
    assert abs(np.mean(decays) / 0.5 - 1) < 0.1
    assert len({float(response[0]) for response in rooms}) == 32


@pytest.mark.any_backend
def test_the_first_images_of_a_room_are_where_they_belong():
    from keras_regopt.augmentation.audio.functional import _reverb

    room, source, microphone = np.array(
        [[5.0, 4.0, 3.0], [1.0, 1.0, 1.0], [3.0, 2.0, 1.5]]
    )
    distances, bounces = _reverb._images(room, source, microphone)
    order = np.argsort(distances)
    distances, bounces = distances[order], bounces[order]
    # The direct sound, and the six walls, each of which mirrors the source.
    mirrored = []
    for axis in range(3):
        for wall in (0.0, room[axis]):
            image = source.copy()
            image[axis] = 2 * wall - image[axis]
            mirrored.append(np.linalg.norm(image - microphone))
    np.testing.assert_allclose(
        distances[0], np.linalg.norm(source - microphone)
    )
    np.testing.assert_allclose(
        np.sort(distances[bounces == 1]), np.sort(mirrored)
    )
    # As many images as there are rooms in a ball, within a tenth.
    radius = _reverb.EARLY * _reverb.SOUND
    expected = 4 / 3 * np.pi * radius**3 / room.prod()
    assert abs(np.sum(distances < radius) / expected - 1) < 0.1


@pytest.mark.any_backend
def test_each_clip_draws_its_response():
    responses = np.eye(4, dtype="float32") + 0.5 * np.eye(4, k=1)
    layer = RandomReverb(responses.astype("float32"), seed=0)
    audio = np.tile(impulse(40), (60, 1))
    results = called(layer, audio).round(3)
    assert len(np.unique(results, axis=0)) == 2


@pytest.mark.any_backend
def test_responses_are_in_the_saved_model(tmp_path):
    response = np.array([1.0, 0.0, 0.5], "float32")
    layer = RandomReverb([response, response[:2]], seed=0)
    model = keras.Sequential([keras.Input((50,)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    for first, second in zip(layer.recordings, loaded.recordings, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decay": 0}, "`decay` of RandomReverb must be a number >= 0.05"),
        ({"direct": 90}, "`direct` of RandomReverb must be a number"),
        ({"responses": np.zeros(5)}, "`responses` of RandomReverb must be"),
        (
            {"responses": "hall.wav"},
            "`responses` of RandomReverb must be .*exist",
        ),
        ({"responses": np.ones((1, 2, 3))}, "`responses` of RandomReverb"),
        ({"responses": np.array([1, 2])}, "`responses` of .*finite floats"),
    ],
)
def test_says_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomReverb(**arguments)

import numpy as np
import pytest
from scipy import signal
from wave_samples import SAMPLE_RATE, called, impulse, noise, spectrum_of

from keras_regopt.augmentation import RandomFilter


def crossings(hertz, response, level):
    """Where a response crosses a level, between the bins."""
    above = response > level
    index = np.flatnonzero(above[1:] != above[:-1])
    share = (level - response[index]) / (response[index + 1] - response[index])
    return hertz[index] + share * (hertz[index + 1] - hertz[index])


@pytest.mark.parametrize(
    ("filter_type", "frequency", "expected"),
    [
        ("low_pass", 1000.0, [1000]),
        ("high_pass", 300.0, [300]),
        ("band_pass", 1000.0, [500, 2000]),
        ("band_stop", 1000.0, [500, 2000]),
    ],
)
def test_is_3_decibels_down_where_it_says(filter_type, frequency, expected):
    layer = RandomFilter(filter_type, frequency, bandwidth=2.0, order=4)
    found = crossings(*spectrum_of(layer), 10 * np.log10(0.5))
    np.testing.assert_allclose(found, expected, rtol=0.01)


@pytest.mark.any_backend
@pytest.mark.parametrize("order", [1, 2, 5, 12])
@pytest.mark.parametrize(
    ("filter_type", "kind", "edges"),
    [
        ("low_pass", "lowpass", 1000),
        ("high_pass", "highpass", 1000),
        ("band_pass", "bandpass", (500, 2000)),
        ("band_stop", "bandstop", (500, 2000)),
    ],
)
def test_is_what_scipy_computes_sample_by_sample(
    filter_type, kind, edges, order
):
    layer = RandomFilter(filter_type, 1000.0, bandwidth=2.0, order=order)
    audio = noise(1, 3000)
    sections = signal.butter(order, edges, kind, fs=SAMPLE_RATE, output="sos")
    expected = signal.sosfilt(sections, audio.astype("float64"))
    np.testing.assert_allclose(called(layer, audio), expected, atol=3e-5)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("filter_type", "points"),
    [
        # Frequencies, and the share of the gain that is there.
        ("low_shelf", [(10, 1), (1000, 0.5), (7900, 0)]),
        ("high_shelf", [(10, 0), (1000, 0.5), (7900, 1)]),
        ("peaking", [(10, 0), (1000, 1), (7900, 0)]),
    ],
)
@pytest.mark.parametrize("gain", [-18.0, 9.0])
def test_changes_the_level_by_the_gain(filter_type, points, gain):
    layer = RandomFilter(filter_type, 1000.0, gain=gain, bandwidth=1.0)
    hertz, response = spectrum_of(layer)
    for frequency, share in points:
        level = np.interp(frequency, hertz, response)
        assert abs(level - share * gain) < 0.03


@pytest.mark.any_backend
def test_a_bell_is_as_wide_as_it_says():
    layer = RandomFilter("peaking", 500.0, gain=12.0, bandwidth=1.0)
    found = crossings(*spectrum_of(layer), 6.0)
    # The bilinear transform narrows it a little on its way up.
    assert abs(np.log2(found[1] / found[0]) - 1) < 0.03


@pytest.mark.any_backend
@pytest.mark.parametrize("filter_type", ["low_shelf", "high_pass", "peaking"])
def test_nothing_comes_round_from_the_end(filter_type):
    layer = RandomFilter(filter_type, 30.0, gain=20.0, bandwidth=0.2)
    late = np.zeros((1, 2000), "float32")
    late[0, -1] = 1.0
    early = called(layer, late)[0, :-1]
    # 80 dB below the click, of which a response that rings has less.
    assert np.abs(early).max() < 1e-4


@pytest.mark.any_backend
def test_each_clip_draws_its_frequency_evenly_in_octaves():
    layer = RandomFilter("low_pass", (250.0, 4000.0), seed=0)
    drawn = layer.sample((400, 100, 1), 5)["frequency"]
    octaves = np.log2(np.array(drawn.tolist()) / 250)
    assert 0 <= octaves.min() < 0.1
    assert 3.9 < octaves.max() <= 4
    assert abs(octaves.mean() - 2) < 5 * 4 / np.sqrt(12 * 400)


@pytest.mark.any_backend
def test_padding_stays_and_does_not_leak():
    audio = noise(2, 600)
    other = audio.copy()
    other[:, 400:] = 0.0
    layer = RandomFilter("low_pass", 500.0)
    first, second = (called(layer, x, [400, 400]) for x in (audio, other))
    np.testing.assert_allclose(first[:, :400], second[:, :400], atol=1e-6)
    np.testing.assert_array_equal(first[:, 400:], audio[:, 400:])


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter_type": "notch"}, "`filter_type` of RandomFilter must"),
        (
            {"frequency": 8000},
            "`frequency` of RandomFilter must be .*half",
        ),
        ({"frequency": (100, 9000)}, "`frequency` of RandomFilter must be"),
        ({"frequency": 0}, "`frequency` of RandomFilter must be above 0"),
        (
            {"filter_type": "band_pass", "frequency": 5000, "bandwidth": 2},
            "`frequency` of RandomFilter must be .*upper edge",
        ),
        ({"order": 0}, "`order` of RandomFilter must be an integer >= 1"),
        ({"gain": 90}, "`gain` of RandomFilter must be a number"),
        ({"bandwidth": 0}, "`bandwidth` of RandomFilter must be a number"),
    ],
)
def test_says_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomFilter(**arguments)


@pytest.mark.any_backend
def test_a_shorter_clip_than_the_response_is_no_matter():
    result = called(RandomFilter("low_pass", 20.0), impulse(3))
    assert np.isfinite(result).all()

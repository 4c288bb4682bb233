import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomGamma

LEVELS = np.arange(256).reshape(1, 16, 16, 1)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("gamma", [0.1, 0.4, 1.0, 2.2, 10.0])
def test_floats_follow_the_formula(gamma):
    images = (LEVELS / 255).astype("float32")
    expected = images.astype("float64") ** gamma
    result = numpy(RandomGamma(gamma, value_range=(0, 1))(images))
    np.testing.assert_allclose(result, expected, atol=3e-6)
    result = numpy(RandomGamma(gamma, value_range=(-1, 1))(2 * images - 1))
    np.testing.assert_allclose(result, 2 * expected - 1, atol=6e-6)


@pytest.mark.any_backend
def test_bytes_are_rounded_each_image_by_its_own_power():
    images = np.repeat(LEVELS, 3, axis=0).astype("uint8")
    layer = RandomGamma((0.5, 2.0))
    parameters = layer.sample(images.shape, seed=1)
    powers = numpy(parameters["gamma"]).astype("float64")
    assert len(set(powers)) == 3
    expected = 255 * (LEVELS / 255) ** powers[:, None, None, None]
    result = numpy(layer.apply(ops.convert_to_tensor(images), parameters))
    assert result.dtype == np.uint8
    assert abs(result - expected).max() < 0.5 + 1e-3


@pytest.mark.any_backend
def test_as_many_images_become_brighter_as_darker():
    draws = RandomGamma((0.5, 2.0)).sample((2000, 1, 1, 1), seed=1)["gamma"]
    draws = numpy(draws)
    assert 0.499 <= draws.min() < 0.51
    assert 1.98 < draws.max() <= 2.001
    # Five standard deviations.
    assert abs((draws < 1).mean() - 0.5) < 5 * np.sqrt(0.25 / 2000)


@pytest.mark.any_backend
@pytest.mark.parametrize("value", [0, -1, 11, (1.2, 0.8), (0, 1), None])
def test_refuses_bad_powers(value):
    with pytest.raises(ValueError, match="`gamma` of RandomGamma"):
        RandomGamma(gamma=value)

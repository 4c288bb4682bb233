import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomInvert

IMAGES = np.random.default_rng(0).integers(0, 100, (400, 3, 2, 1), "uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_a_rate_of_one_reaches_every_image():
    np.testing.assert_array_equal(
        numpy(RandomInvert(rate=1.0)(IMAGES)), 255 - IMAGES
    )


@pytest.mark.any_backend
def test_the_rate_is_the_share_of_negatives():
    result = numpy(RandomInvert(rate=0.3, seed=0)(IMAGES))
    inverted = (result != IMAGES).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(result[inverted], 255 - IMAGES[inverted])
    np.testing.assert_array_equal(result[~inverted], IMAGES[~inverted])
    # Five standard deviations.
    assert abs(inverted.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 400)


@pytest.mark.any_backend
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_other_numbers_give_what_bytes_give(dtype):
    result = numpy(RandomInvert(rate=1.0)(IMAGES.astype(dtype)))
    np.testing.assert_array_equal(result, 255 - IMAGES.astype(dtype))


@pytest.mark.any_backend
@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1), (10, 20)])
def test_floats_change_ends_of_their_range(value_range):
    low, high = value_range
    images = np.linspace(low, high, 24).reshape(2, 3, 4, 1).astype("float32")
    layer = RandomInvert(value_range=value_range, rate=1.0)
    np.testing.assert_allclose(
        numpy(layer(images)), low + high - images, atol=3e-6 * high
    )


@pytest.mark.any_backend
def test_refuses_a_bad_range():
    with pytest.raises(ValueError, match="`value_range` of RandomInvert"):
        RandomInvert(value_range=255)

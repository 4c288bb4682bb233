import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_regopt.augmentation import RandomGrayscale

IMAGES = np.random.default_rng(0).integers(0, 256, (400, 3, 2, 3), "uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_bytes_become_the_grey_of_pillow():
    result = numpy(RandomGrayscale(rate=1.0)(IMAGES)).astype(int)
    row = IMAGES.reshape(1, -1, 3)
    expected = np.asarray(Image.fromarray(row).convert("L"))
    # Pillow's weights are rounded to 16 bits.
    difference = result - expected.reshape(*IMAGES.shape[:3], 1)
    assert abs(difference).max() <= 1
    assert (difference != 0).mean() < 0.01


def test_floats_follow_the_formula():
    images = (IMAGES / 127.5 - 1).astype("float32")
    expected = images.astype("float64") @ [0.299, 0.587, 0.114]
    result = numpy(RandomGrayscale(rate=1.0)(images))
    for channel in range(3):
        np.testing.assert_allclose(result[..., channel], expected, atol=1e-6)


@pytest.mark.any_backend
def test_the_rate_is_the_share_of_grey_images():
    result = numpy(RandomGrayscale(rate=0.3, seed=0)(IMAGES))
    grey = (result == result[..., :1]).all((1, 2, 3))
    np.testing.assert_array_equal(result[~grey], IMAGES[~grey])
    # Five standard deviations.
    assert abs(grey.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 400)


@pytest.mark.any_backend
def test_a_fourth_channel_stays_and_so_do_other_images():
    images = np.concatenate([IMAGES, IMAGES[..., :1]], -1)
    result = numpy(RandomGrayscale(rate=1.0)(images))
    np.testing.assert_array_equal(result[..., 3], images[..., 3])
    assert (result[..., 0] == result[..., 2]).all()
    for channels in (1, 2):
        images = IMAGES[..., :channels]
        result = numpy(RandomGrayscale(rate=1.0)(images))
        np.testing.assert_array_equal(result, images)

import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageOps

from keras_regopt.augmentation import RandomSolarize

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 7, 3), "uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_half_is_the_threshold_of_pillow():
    expected = [ImageOps.solarize(Image.fromarray(i)) for i in IMAGES]
    result = numpy(RandomSolarize(threshold=0.5)(IMAGES))
    np.testing.assert_array_equal(result, np.stack(expected))


@pytest.mark.any_backend
def test_the_ends_invert_everything_and_nothing_but_white():
    np.testing.assert_array_equal(
        numpy(RandomSolarize(threshold=0)(IMAGES)), 255 - IMAGES
    )
    expected = np.where(IMAGES == 255, 0, IMAGES)
    np.testing.assert_array_equal(
        numpy(RandomSolarize(threshold=1)(IMAGES)), expected
    )


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1)])
def test_floats_follow_the_formula(value_range):
    low, high = value_range
    images = (low + IMAGES / 255 * (high - low)).astype("float32")
    layer = RandomSolarize((0.3, 0.7), value_range=value_range)
    parameters = layer.sample(images.shape, seed=2)
    share = numpy(parameters["threshold"])[:, None, None, None] / 255
    threshold = low + share * (high - low)
    expected = np.where(images >= threshold, low + high - images, images)
    result = numpy(layer.apply(ops.convert_to_tensor(images), parameters))
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.any_backend
def test_the_threshold_is_drawn_from_its_range():
    draws = RandomSolarize((0.2, 0.4)).sample((1000, 1, 1, 1), seed=1)
    draws = numpy(draws["threshold"]) / 255
    assert 0.2 <= draws.min() < 0.21
    assert 0.39 < draws.max() <= 0.4001


@pytest.mark.any_backend
@pytest.mark.parametrize("value", [1.5, -0.1, (0.5, 0.4), "0.5"])
def test_refuses_bad_thresholds(value):
    with pytest.raises(ValueError, match="`threshold` of RandomSolarize"):
        RandomSolarize(threshold=value)

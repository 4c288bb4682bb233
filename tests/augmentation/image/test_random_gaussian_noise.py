import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomGaussianNoise


def noise_of(layer, shape, level):
    images = np.full(shape, level, "float32")
    return ops.convert_to_numpy(layer(images)).astype("float64") - level


def test_adds_normal_noise_of_the_given_strength():
    layer = RandomGaussianNoise(stddev=0.02, value_range=(0, 255), seed=0)
    noise = noise_of(layer, (10, 100, 100, 3), 128.0) / (0.02 * 255)
    # Five standard errors of each moment of a normal variable.
    count = noise.size
    assert abs(noise.mean()) < 5 / np.sqrt(count)
    assert abs((noise**2).mean() - 1) < 5 * np.sqrt(2 / count)
    assert abs((noise**3).mean()) < 5 * np.sqrt(15 / count)
    assert abs((noise**4).mean() - 3) < 5 * np.sqrt(96 / count)


@pytest.mark.any_backend
def test_noise_is_its_own_in_every_value():
    layer = RandomGaussianNoise(stddev=0.05, seed=1)
    noise = noise_of(layer, (4, 60, 60, 3), 128.0)
    spread = noise.var() / np.sqrt(noise.size)
    for axis in range(4):
        neighbor = np.roll(noise, 1, axis)
        assert abs((noise * neighbor).mean()) < 5 * spread


@pytest.mark.any_backend
def test_a_range_gives_every_image_a_strength_of_its_own():
    layer = RandomGaussianNoise(
        stddev=(0.01, 0.05), value_range=(-1, 1), seed=2
    )
    noise = noise_of(layer, (300, 32, 32, 3), 0.0)
    strengths = noise.std(axis=(1, 2, 3)) / 2
    # One image tells its strength to within about 1.3 %.
    assert 0.01 * 0.93 < strengths.min() < 0.012
    assert 0.048 < strengths.max() < 0.05 * 1.07
    assert abs(strengths.mean() - 0.03) < 5 * 0.04 / np.sqrt(12 * 300)


@pytest.mark.any_backend
@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_stays_within_the_value_range(value_range):
    layer = RandomGaussianNoise(stddev=0.5, value_range=value_range, seed=0)
    low, high = value_range
    images = np.full((2, 20, 20, 1), low, "float32")
    result = ops.convert_to_numpy(layer(images))
    assert result.min() == low
    assert low < result.max() <= high


@pytest.mark.any_backend
def test_bytes_are_rounded_and_saturate():
    layer = RandomGaussianNoise(stddev=0.3, seed=0)
    images = np.full((2, 40, 40, 1), 250, "uint8")
    result = ops.convert_to_numpy(layer(images)).astype(int)
    assert result.dtype == int
    assert result.max() == 255
    # Half of the pixels become brighter; none wraps round to black.
    assert abs((result >= 250).mean() - 0.5) < 5 * np.sqrt(0.25 / result.size)
    assert (result == 0).mean() < 0.01


@pytest.mark.any_backend
def test_no_noise_changes_nothing():
    images = np.random.default_rng(0).uniform(0, 255, (2, 5, 5, 3))
    images = images.astype("float32")
    result = RandomGaussianNoise(stddev=0)(images)
    np.testing.assert_array_equal(ops.convert_to_numpy(result), images)


@pytest.mark.any_backend
def test_labels_boxes_and_masks_pass_untouched():
    data = {
        "images": np.ones((2, 5, 5, 3), "float32"),
        "labels": np.array([1, 2]),
        "bounding_boxes": {
            "boxes": np.ones((2, 1, 4)),
            "labels": np.ones((2, 1)),
        },
        "segmentation_masks": np.ones((2, 5, 5, 1), "uint8"),
    }
    outputs = RandomGaussianNoise()(data)
    for key in ("labels", "bounding_boxes", "segmentation_masks"):
        assert outputs[key] is data[key]


@pytest.mark.any_backend
def test_what_is_drawn_makes_the_rest_a_function():
    layer = RandomGaussianNoise()
    images = keras.ops.full((2, 4, 4, 1), 100.0)
    parameters = layer.sample(images.shape, seed=3)
    first = ops.convert_to_numpy(layer.apply(images, parameters))
    second = ops.convert_to_numpy(layer.apply(images, parameters))
    np.testing.assert_array_equal(first, second)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stddev", -0.1),
        ("stddev", 1.5),
        ("stddev", (0.2, 0.1)),
        ("value_range", (1, 0)),
        ("value_range", 255),
        ("value_range", (0, 1, 2)),
        ("value_range", (0, "1")),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomGaussianNoise"):
        RandomGaussianNoise(**{name: value})

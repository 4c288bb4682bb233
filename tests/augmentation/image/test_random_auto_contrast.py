import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageOps

from keras_regopt.augmentation import RandomAutoContrast


def images_of(*shape):
    """Bytes of which each image and channel has a range of its own."""
    random = np.random.default_rng(0)
    low = random.integers(0, 100, (shape[0], 1, 1, shape[-1]))
    high = random.integers(130, 256, (shape[0], 1, 1, shape[-1]))
    return random.integers(low, high, shape).astype("uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_every_image_and_channel_is_stretched_as_by_pillow():
    images = images_of(4, 17, 18, 3)
    result = numpy(RandomAutoContrast(rate=1.0)(images)).astype(int)
    assert (result.min((1, 2)) == 0).all()
    assert (result.max((1, 2)) == 255).all()
    for image, stretched in zip(images, result, strict=True):
        expected = np.asarray(ImageOps.autocontrast(Image.fromarray(image)))
        # Pillow cuts off the fraction where we round.
        assert abs(stretched - expected).max() <= 1


def test_floats_follow_the_formula():
    images = images_of(3, 8, 7, 2).astype("float32") / 255
    lowest = images.min((1, 2), keepdims=True)
    highest = images.max((1, 2), keepdims=True)
    expected = (images - lowest) / (highest - lowest)
    layer = RandomAutoContrast(value_range=(0, 1), rate=1.0)
    np.testing.assert_allclose(numpy(layer(images)), expected, atol=1e-6)
    layer = RandomAutoContrast(value_range=(-1, 1), rate=1.0)
    np.testing.assert_allclose(
        numpy(layer(2 * images - 1)), 2 * expected - 1, atol=1e-6
    )


@pytest.mark.any_backend
def test_a_channel_of_one_value_stays():
    images = images_of(2, 8, 7, 3)
    images[0, ..., 1] = 40
    images[1, ..., 2] = 0
    result = numpy(RandomAutoContrast(rate=1.0)(images))
    assert (result[0, ..., 1] == 40).all()
    assert (result[1, ..., 2] == 0).all()


@pytest.mark.any_backend
def test_the_rate_is_the_share_of_stretched_images():
    images = images_of(400, 3, 4, 1)
    # None is stretched already.
    images = images.clip(1, 254)
    result = numpy(RandomAutoContrast(seed=0)(images))
    changed = (result != images).any((1, 2, 3)).mean()
    # Five standard deviations.
    assert abs(changed - 0.5) < 5 * np.sqrt(0.25 / 400)

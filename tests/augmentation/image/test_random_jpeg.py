import io

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image
from scipy import ndimage

from keras_regopt.augmentation import RandomJPEG

QUALITIES = [1, 20, 49, 50, 75, 95, 100]


def images_of(height, width, channels):
    """Smooth colors with some edges and some noise, as in photographs."""
    random = np.random.default_rng(0)
    images = random.normal(0, 1, (len(QUALITIES), height, width, channels))
    images = 60 * ndimage.gaussian_filter(images, (0, 4, 4, 0)) / 0.07
    images += random.normal(128, 4, images.shape)
    images[:, height // 3 :, : width // 2] += 40
    return images.clip(0, 255).astype("uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def coded(layer, images):
    """Each image at the quality in its place."""
    qualities = ops.convert_to_tensor(np.array(QUALITIES, "float32"))
    layer.sample = lambda shape, seed: {"quality": qualities}
    return numpy(layer(images))


def by_pillow(images, subsampling):
    results = []
    for image, quality in zip(images, QUALITIES, strict=True):
        file = io.BytesIO()
        picture = Image.fromarray(image.squeeze())
        picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
        results.append(np.asarray(Image.open(file)).reshape(image.shape))
    return np.stack(results)


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("size", "channels", "subsampling"),
    [
        ((48, 64), 3, "4:2:0"),
        ((41, 27), 3, "4:2:0"),
        ((3, 5), 3, "4:2:0"),
        ((41, 27), 3, "4:4:4"),
        ((41, 27), 1, "4:4:4"),
    ],
)
def test_bytes_are_those_of_pillow_at_every_quality(
    size, channels, subsampling
):
    images = images_of(*size, channels)
    expected = by_pillow(images, subsampling).astype(float)
    result = coded(RandomJPEG(subsampling=subsampling), images)
    assert result.dtype == "uint8"
    axes = (1, 2, 3)
    difference = abs(result - expected)
    lost = abs(images - expected).mean(axis=axes)
    # libjpeg computes with integers of a limited length, we with floats.
    assert difference.mean(axis=axes).max() < 1
    # At the best qualities hardly more is lost than that.
    assert (difference.mean(axis=axes)[:-2] < lost[:-2] / 5).all()


@pytest.mark.any_backend
def test_floats_are_bytes_in_another_range():
    images = images_of(17, 20, 3)
    levels = coded(RandomJPEG(), images)
    floats = images.astype("float32") / 127.5 - 1
    result = coded(RandomJPEG(value_range=(-1, 1)), floats)
    # Next to half a level, two ways to compute may round differently.
    assert (abs(result - (levels / 127.5 - 1)) > 1e-5).mean() < 0.01
    assert result.min() >= -1
    assert result.max() <= 1


@pytest.mark.any_backend
def test_channels_other_than_three_are_gray_images():
    images = images_of(17, 20, 4)
    result = coded(RandomJPEG(), images)
    for channel in range(4):
        alone = coded(RandomJPEG(), images[..., channel : channel + 1])
        np.testing.assert_array_equal(result[..., [channel]], alone)


@pytest.mark.any_backend
def test_sizes_that_are_not_known_give_the_same():
    images = images_of(17, 30, 3)
    spec = tf.TensorSpec((None, None, None, 3), "uint8")
    dataset = tf.data.Dataset.from_generator(
        lambda: [images], output_signature=spec
    )
    layer = RandomJPEG(quality=60)
    (result,) = dataset.map(layer)
    assert (abs(result.numpy() - numpy(layer(images)).astype(int)) <= 2).all()


def test_qualities_are_whole_numbers_of_their_range():
    layer = RandomJPEG(quality=(20, 30))
    drawn = numpy(layer.sample((2000, 8, 8, 3), seed=0)["quality"])
    assert set(drawn) == set(range(20, 31))


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quality", 0),
        ("quality", 101),
        ("quality", (90, 10)),
        ("subsampling", "4:2:2"),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomJPEG"):
        RandomJPEG(**{name: value})

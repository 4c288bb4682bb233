import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image, ImageOps

from keras_regopt.augmentation import RandomEqualize


def images_of(*shape):
    """Dark and light bytes, each image and channel in its own way."""
    random = np.random.default_rng(0)
    power = random.uniform(0.3, 3, (shape[0], 1, 1, shape[-1]))
    return np.round(255 * random.random(shape) ** power).astype("uint8")


IMAGES = images_of(3, 31, 37, 3)


def by_pillow(images):
    pictures = [ImageOps.equalize(Image.fromarray(image)) for image in images]
    return np.stack([np.asarray(picture) for picture in pictures])


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_every_image_and_channel_has_a_histogram_of_its_own():
    result = numpy(RandomEqualize(rate=1.0)(IMAGES))
    np.testing.assert_array_equal(result, by_pillow(IMAGES))
    # The same image comes out the same in any company.
    alone = numpy(RandomEqualize(rate=1.0)(IMAGES[1]))
    np.testing.assert_array_equal(result[1], alone)


@pytest.mark.any_backend
@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1)])
def test_floats_give_what_bytes_give(value_range):
    low, high = value_range
    images = (low + IMAGES / 255 * (high - low)).astype("float32")
    result = numpy(RandomEqualize(value_range=value_range, rate=1.0)(images))
    expected = low + by_pillow(IMAGES) / 255 * (high - low)
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.any_backend
def test_the_levels_become_about_equally_frequent():
    images = images_of(1, 128, 128, 1)
    result = numpy(RandomEqualize(rate=1.0)(images))
    counts = [
        np.histogram(x, 8, (0, 256))[0] / x.size for x in (images, result)
    ]
    assert abs(counts[0] - 1 / 8).max() > 0.1
    assert abs(counts[1] - 1 / 8).max() < 0.03


@pytest.mark.any_backend
def test_sizes_may_be_unknown_in_tf_data():
    spec = tf.TensorSpec((None, None, None, None), "uint8")
    data = tf.data.Dataset.from_generator(
        lambda: [IMAGES], output_signature=spec
    )
    (result,) = data.map(RandomEqualize(rate=1.0)).as_numpy_iterator()
    np.testing.assert_array_equal(result, by_pillow(IMAGES))

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image, ImageEnhance
from scipy import ndimage

from keras_regopt.augmentation import RandomSharpness
from keras_regopt.augmentation.image.functional._sharpness import sharpened


def images_of(*shape, dtype="uint8"):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    # Soft, as photographs are, so that not all results are at the bounds.
    images = ndimage.gaussian_filter(images, (0, 1, 1, 0)) * 1.5
    return np.clip(images, 0, 255).astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_are_those_of_pillow(channels):
    images = images_of(8, 12, 17, channels)
    amounts = np.array([-1, -0.7, -0.2, 0, 0.1, 0.6, 0.9, 1], "float32")
    results = numpy(sharpened(images, amounts)).astype(int)
    for image, amount, result in zip(images, amounts, results, strict=True):
        picture = Image.fromarray(image.squeeze())
        expected = ImageEnhance.Sharpness(picture).enhance(1 + float(amount))
        expected = np.asarray(expected).reshape(image.shape).astype(int)
        # Pillow cuts off the fraction where we round.
        assert abs(result - expected).max() <= 1
        edge = np.s_[[0, -1]], np.s_[:, [0, -1]]
        assert all((result[e] == image[e]).all() for e in edge)


@pytest.mark.any_case
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_floats_follow_the_formula(channels):
    images = images_of(3, 9, 6, channels, dtype="float32") / 255
    amounts = np.array([-1, 0.5, 1], "float32")
    kernel = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    wide = images.astype("float64")
    expected = wide.copy()
    smooth = ndimage.convolve(wide, kernel[None, ..., None])
    inner = np.s_[:, 1:-1, 1:-1]
    expected[inner] += amounts[:, None, None, None] * (wide - smooth)[inner]
    result = numpy(sharpened(images, amounts, (0, 1)))
    np.testing.assert_allclose(result, expected.clip(0, 1), atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2), (2, 5)])
def test_an_image_that_is_all_edge_stays(size):
    images = images_of(2, *size, 3)
    result = numpy(sharpened(images, np.ones(2, "float32")))
    np.testing.assert_array_equal(result, images)


@pytest.mark.any_backend
def test_the_factor_is_the_range_of_the_amounts():
    shape = (1000, 1, 1, 1)
    amounts = numpy(RandomSharpness(factor=0.5).sample(shape, seed=1)["amount"])
    assert -0.5 <= amounts.min() < -0.49
    assert 0.49 < amounts.max() <= 0.5
    amounts = numpy(
        RandomSharpness(factor=(0.2, 0.4)).sample(shape, seed=1)["amount"]
    )
    assert 0.2 <= amounts.min() < 0.21
    assert 0.39 < amounts.max() <= 0.4


@pytest.mark.any_backend
def test_sizes_that_are_not_known_give_the_same():
    images = images_of(2, 7, 9, 3)
    layer = RandomSharpness(factor=(1, 1))
    spec = tf.TensorSpec((None, None, None, None), "uint8")
    dataset = tf.data.Dataset.from_generator(
        lambda: [images], output_signature=spec
    )
    (result,) = dataset.map(layer)
    np.testing.assert_array_equal(result, numpy(layer(images)))


def test_a_wide_float_keeps_its_precision():
    if keras.backend.backend() == "jax":
        # JAX has no float64 unless it is switched on for the whole process.
        return
    images = np.zeros((1, 3, 3, 1))
    images[0, 1, 1, 0] = 13 / 8 + 13e-9 / 8
    result = numpy(RandomSharpness(factor=(1, 1), dtype="float64")(images))
    assert result[0, 1, 1, 0] == pytest.approx(2.625 + 21e-9 / 8, abs=1e-12)


@pytest.mark.any_backend
@pytest.mark.parametrize("value", [1.5, (0.5, 0.1), -0.1])
def test_refuses_bad_factors(value):
    with pytest.raises(ValueError, match="`factor` of RandomSharpness"):
        RandomSharpness(factor=value)

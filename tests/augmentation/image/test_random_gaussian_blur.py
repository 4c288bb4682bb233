import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy import ndimage

from keras_regopt.augmentation import RandomGaussianBlur


def images_of(*shape, dtype="float32"):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def blurred(layer, images, sigma):
    sigma = ops.convert_to_tensor(np.array(sigma), "float32")
    layer.sample = lambda shape, seed: {"sigma": sigma}
    return numpy(layer(images))


def reference(images, sigma, radius):
    """SciPy's filter, image by image, in double precision."""
    results = np.empty(images.shape)
    for image, width, result in zip(images, sigma, results, strict=True):
        result[:] = image
        for axis in (0, 1):
            result[:] = ndimage.gaussian_filter1d(
                result, width, axis=axis, mode="reflect", radius=radius
            )
    return results


@pytest.mark.parametrize(("kernel_size", "channels"), [(3, 1), (None, 3)])
def test_follows_scipy_with_a_width_for_each_image(channels, kernel_size):
    images = images_of(3, 13, 17, channels)
    sigma = [0.4, 1.1, 2.0]
    layer = RandomGaussianBlur(kernel_size=kernel_size)
    radius = kernel_size // 2 if kernel_size else 6
    expected = reference(images, sigma, radius)
    result = blurred(layer, images, sigma)
    np.testing.assert_allclose(result, expected, atol=1e-3)
    result = blurred(layer, images.astype("uint8"), sigma)
    assert result.dtype == "uint8"
    expected = reference(images.astype("uint8"), sigma, radius)
    assert abs(result - expected).max() < 0.501


@pytest.mark.any_backend
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (9, 4)])
def test_images_smaller_than_the_kernel_are_mirrored_again_and_again(size):
    images = images_of(2, *size, 2)
    result = blurred(RandomGaussianBlur(sigma=(0.5, 3.0)), images, [1.0, 3.0])
    expected = reference(images, [1.0, 3.0], 9)
    np.testing.assert_allclose(result, expected, atol=1e-3)


@pytest.mark.any_backend
def test_sizes_that_are_not_known_give_the_same():
    images = images_of(2, 7, 20, 3, dtype="uint8")
    layer = RandomGaussianBlur(sigma=1.5)
    spec = tf.TensorSpec((None, None, None, None), "uint8")
    dataset = tf.data.Dataset.from_generator(
        lambda: [images], output_signature=spec
    )
    (result,) = dataset.map(layer)
    np.testing.assert_array_equal(result, numpy(layer(images)))


@pytest.mark.any_backend
def test_no_width_changes_nothing():
    images = images_of(2, 6, 6, 3)
    result = numpy(RandomGaussianBlur(sigma=0, kernel_size=5)(images))
    np.testing.assert_array_equal(result, images)


@pytest.mark.any_backend
def test_widths_are_drawn_from_their_range():
    layer = RandomGaussianBlur(sigma=(0.5, 1.5))
    drawn = numpy(layer.sample((2000, 4, 4, 1), seed=0)["sigma"])
    assert 0.5 <= drawn.min() < 0.51
    assert 1.49 < drawn.max() <= 1.5
    assert len(np.unique(drawn)) > 1900


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sigma", -1),
        ("sigma", (2, 1)),
        ("kernel_size", 4),
        ("kernel_size", 0),
        ("kernel_size", 3.5),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomGaussianBlur"):
        RandomGaussianBlur(**{name: value})

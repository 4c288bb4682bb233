import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageEnhance, ImageOps

from keras_regopt.augmentation.image.functional import _tables as tables


def images_of(*shape):
    """Bytes of which each image and channel has a range of its own."""
    random = np.random.default_rng(0)
    low = random.integers(0, 100, (shape[0], 1, 1, shape[-1]))
    high = random.integers(130, 256, (shape[0], 1, 1, shape[-1]))
    return random.integers(low, high, shape).astype("uint8")


IMAGES = images_of(4, 31, 37, 3)
# One level, two levels of which one is rare, and all levels there are.
IMAGES[0, ..., 0] = 77
IMAGES[1, ..., 0] = 50
IMAGES[1, :5, :5, 0] = 90
IMAGES[1, ..., 1] = np.resize(np.arange(256), (31, 37))


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def of_all(value):
    return ops.full((len(IMAGES),), float(value))


def by_table(operation):
    return numpy(tables.lookup(IMAGES, tables.table_of(operation)))


def by_pillow(operation):
    pictures = [operation(Image.fromarray(image)) for image in IMAGES]
    return np.stack([np.asarray(picture) for picture in pictures])


@pytest.mark.parametrize("threshold", [0, 1, 100, 128, 255, 256])
def test_solarizes_as_pillow(threshold):
    result = by_table(lambda x: tables.solarize(x, of_all(threshold)))
    expected = by_pillow(lambda x: ImageOps.solarize(x, threshold))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("bits", range(1, 9))
def test_posterizes_as_pillow(bits):
    result = by_table(lambda x: tables.posterize(x, of_all(bits)))
    expected = by_pillow(lambda x: ImageOps.posterize(x, bits))
    np.testing.assert_array_equal(result, expected)


def test_inverts_as_pillow():
    expected = by_pillow(ImageOps.invert)
    np.testing.assert_array_equal(by_table(tables.invert), expected)


def test_stretches_the_contrast_as_pillow_but_for_its_rounding():
    bounds = tables.extremes(IMAGES)
    result = by_table(lambda x: tables.autocontrast(x, *bounds)).astype(int)
    expected = by_pillow(ImageOps.autocontrast)
    # Pillow cuts off the fraction.
    difference = result - expected
    assert difference.min() >= 0
    assert difference.max() == 1
    assert (result[0, ..., 0] == 77).all()


@pytest.mark.parametrize("factor", [0, 0.3, 1, 1.4, 1.9])
def test_brightens_as_pillow_but_for_its_rounding(factor):
    result = by_table(lambda x: tables.brighten(x, of_all(factor)))
    expected = by_pillow(lambda x: ImageEnhance.Brightness(x).enhance(factor))
    assert abs(result.astype(int) - expected).max() <= 1


@pytest.mark.any_backend
def test_counts_every_level_of_every_image_and_channel():
    counts = numpy(tables.histogram(IMAGES))
    assert counts.shape == (4, 1, 256, 3)
    for image, count in zip(IMAGES, counts[:, 0], strict=True):
        for channel in range(3):
            expected = np.bincount(image[..., channel].ravel(), minlength=256)
            np.testing.assert_array_equal(count[:, channel], expected)


def test_equalizes_as_pillow():
    table = tables.equalize(tables.histogram(IMAGES))
    expected = by_pillow(ImageOps.equalize)
    assert (expected != IMAGES).any()
    np.testing.assert_array_equal(numpy(tables.lookup(IMAGES, table)), expected)


@pytest.mark.any_backend
def test_equalizes_even_the_smallest_images():
    levels = np.array([10, 10, 20, 30, 30], "uint8").reshape(1, 5, 1, 1)
    table = tables.equalize(tables.histogram(levels))
    result = numpy(tables.lookup(levels, table)).ravel()
    # A step is 3 / 255 of a pixel: 0, 2 and 3 pixels are below.
    assert result.tolist() == [0, 0, 170, 255, 255]


@pytest.mark.any_backend
def test_a_table_of_several_operations_is_one_after_another():
    thresholds = ops.convert_to_tensor([50.0, 100.0, 150.0, 200.0])
    steps = [
        lambda x: tables.gamma_correct(x, of_all(0.7)),
        lambda x: tables.solarize(x, thresholds),
        lambda x: tables.add(x, of_all(25)),
        lambda x: tables.contrast(x, of_all(1.3), of_all(120)),
    ]
    at_once = numpy(tables.lookup(IMAGES, tables.table_of(*steps)))
    one_by_one = IMAGES
    for step in steps:
        one_by_one = tables.lookup(one_by_one, tables.table_of(step))
    np.testing.assert_array_equal(at_once, numpy(one_by_one))


@pytest.mark.any_backend
def test_the_histogram_after_a_table_needs_no_second_count():
    table = tables.table_of(lambda x: tables.solarize(x, of_all(100)))
    mapped = tables.mapped_histogram(tables.histogram(IMAGES), table)
    counted = tables.histogram(tables.lookup(IMAGES, table))
    np.testing.assert_array_equal(numpy(mapped), numpy(counted))


@pytest.mark.any_backend
@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_floats_of_whole_levels_read_what_bytes_read(value_range):
    low, high = value_range
    floats = (low + IMAGES / 255.0 * (high - low)).astype("float32")
    table = tables.table_of(lambda x: tables.posterize(x, of_all(3)))
    result = numpy(tables.lookup(floats, table, value_range))
    read = numpy(tables.lookup(IMAGES, table))
    expected = low + read / 255.0 * (high - low)
    np.testing.assert_allclose(result, expected, rtol=0, atol=3e-5)


@pytest.mark.any_backend
def test_the_result_has_the_dtype_of_the_images():
    for dtype in ("uint8", "int32", "float16", "float32"):
        images = ops.convert_to_tensor(IMAGES[:1, :4, :4].astype(dtype))
        result = tables.lookup(images, tables.ramp())
        assert keras.backend.standardize_dtype(result.dtype) == dtype
        np.testing.assert_array_equal(numpy(result), numpy(images))

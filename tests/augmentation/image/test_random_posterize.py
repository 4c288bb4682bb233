import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageOps

from keras_regopt.augmentation import RandomPosterize

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 7, 3), "uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_bytes_are_those_of_pillow(bits):
    expected = [ImageOps.posterize(Image.fromarray(i), bits) for i in IMAGES]
    result = numpy(RandomPosterize(bits=bits)(IMAGES))
    np.testing.assert_array_equal(result, np.stack(expected))


@pytest.mark.any_backend
@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1), (0, 255)])
def test_floats_give_what_bytes_give(value_range):
    low, high = value_range
    levels = np.arange(256).reshape(1, 16, 16, 1)
    images = (low + levels / 255 * (high - low)).astype("float32")
    for bits in (1, 4, 7):
        layer = RandomPosterize(bits=bits, value_range=value_range)
        step = 2 ** (8 - bits)
        expected = low + levels // step * step / 255 * (high - low)
        np.testing.assert_allclose(
            numpy(layer(images)), expected, atol=1e-6 * 255
        )


@pytest.mark.any_backend
def test_all_bits_of_a_range_are_equally_likely():
    layer = RandomPosterize(bits=(3, 6))
    bits = numpy(layer.sample((4000, 1, 1, 1), seed=1)["bits"])
    drawn, counts = np.unique(bits, return_counts=True)
    assert drawn.tolist() == [3, 4, 5, 6]
    # Five standard deviations.
    assert abs(counts - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)


@pytest.mark.any_backend
@pytest.mark.parametrize("value", [0, 9, 4.5, True, (5, 4), (4, 9), (4,)])
def test_refuses_bad_bits(value):
    with pytest.raises(ValueError, match="`bits` of RandomPosterize"):
        RandomPosterize(bits=value)

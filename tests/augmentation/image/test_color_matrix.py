import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageEnhance

from keras_regopt.augmentation.image.functional._color_matrix import (
    apply_color,
    color_matrix,
    contrast_offset,
    mean_luma,
    mix_channels,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 12, 20, 3), "uint8")
IMAGES[0] //= 2
NOTHING = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def changed(images, value_range=(0, 255), **factors):
    """Images under factors that all of them share."""
    factors = {
        name: ops.full((len(images),), factors.get(name, nothing))
        for name, nothing in NOTHING.items()
    }
    channels = images.shape[-1]
    luma = mean_luma(ops.convert_to_tensor(images)) - value_range[0]
    offset = contrast_offset(
        channels, factors["brightness"], factors["contrast"], luma
    )
    matrix = color_matrix(channels, **factors)
    return numpy(
        apply_color(ops.convert_to_tensor(images), matrix, offset, value_range)
    )


def in_float64(images, brightness=1, contrast=1, saturation=1, hue=0):
    """The formulas of the docstring of RandomColor, one after another."""

    def luma(x):
        return x @ np.array([0.299, 0.587, 0.114])

    x = images.astype("float64") * brightness
    mean = luma(x).mean((1, 2))[:, None, None, None]
    x = mean + (x - mean) * contrast
    y = luma(x)[..., None]
    x = y + (x - y) * saturation
    y = luma(x)
    u, v = 0.492 * (x[..., 2] - y), 0.877 * (x[..., 0] - y)
    turn = np.exp(2j * np.pi * hue) * (u + 1j * v)
    blue, red = y + turn.real / 0.492, y + turn.imag / 0.877
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    return np.stack([red, green, blue], -1)


@pytest.mark.parametrize("factor", [0, 0.3, 1, 1.4, 1.9])
@pytest.mark.parametrize(
    ("name", "pillow"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
def test_bytes_are_those_of_pillow_but_for_its_rounding(name, pillow, factor):
    result = changed(IMAGES, **{name: float(factor)})
    expected = np.stack(
        [
            np.asarray(pillow(Image.fromarray(image)).enhance(factor))
            for image in IMAGES
        ]
    )
    # Pillow cuts off the fraction, and rounds the grey that it turns about.
    assert abs(result.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "factors",
    [
        {"hue": 0.1},
        {"hue": -0.4},
        {"brightness": 0.7, "contrast": 1.5, "saturation": 0.2, "hue": 0.3},
        {"brightness": 1.6, "contrast": 0.5, "saturation": 1.9, "hue": -0.2},
    ],
)
def test_floats_follow_the_formulas_one_after_another(factors):
    images = (IMAGES / 255).astype("float32")
    expected = in_float64(images, **factors).clip(0, 1)
    result = changed(images, (0, 1), **factors)
    np.testing.assert_allclose(result, expected, atol=2e-6)
    # The same picture in another range.
    result = changed(2 * images - 1, (-1, 1), **factors)
    np.testing.assert_allclose(result, 2 * expected - 1, atol=4e-6)


@pytest.mark.any_backend
def test_hue_goes_from_red_to_yellow_to_green_at_equal_luma():
    red = np.full(IMAGES.shape, 0.2, "float32")
    red[..., 0] = 0.4
    weights = [0.299, 0.587, 0.114]
    yellow = changed(red, (0, 1), hue=1 / 6)[0, 0, 0]
    assert yellow[:2].min() > 2 * yellow[2]
    green = changed(red, (0, 1), hue=1 / 3)[0, 0, 0]
    assert green[1] > 2 * max(green[0], green[2])
    for color in (yellow, green):
        assert color @ weights == pytest.approx(red[0, 0, 0] @ weights)
    half = changed(red, (0, 1), hue=0.5)
    np.testing.assert_allclose(half, changed(red, (0, 1), hue=-0.5), atol=1e-6)


@pytest.mark.any_backend
def test_a_fourth_channel_stays():
    images = np.concatenate([IMAGES, IMAGES[..., :1]], -1)
    factors = {"brightness": 0.5, "contrast": 1.4, "hue": 0.2}
    result = changed(images, **factors)
    np.testing.assert_array_equal(result[..., 3], images[..., 3])
    np.testing.assert_array_equal(result[..., :3], changed(IMAGES, **factors))


@pytest.mark.any_backend
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_images_have_neither_saturation_nor_hue(channels):
    images = np.resize(IMAGES, (3, 12, 20, channels))
    still = changed(images, saturation=0.1, hue=0.3)
    np.testing.assert_array_equal(still, images)
    mean = images.mean((1, 2, 3))[:, None, None, None]
    expected = np.round(0.8 * (mean + 0.5 * (images - mean)))
    result = changed(images, brightness=0.8, contrast=0.5)
    assert abs(result - expected).max() <= 1


@pytest.mark.any_backend
def test_a_diagonal_may_stand_for_a_matrix():
    values = ops.convert_to_tensor(IMAGES.astype("float32"))
    factors = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], "float32")
    matrices = factors[..., None] * np.eye(3, dtype="float32")
    np.testing.assert_array_equal(
        numpy(mix_channels(values, ops.convert_to_tensor(factors))),
        numpy(mix_channels(values, ops.convert_to_tensor(matrices))),
    )

import keras
import numpy as np
import pytest
from PIL import Image
from pillow_operations import operated

from keras_regopt.augmentation.image.functional._operations import (
    GEOMETRIC,
    POINTWISE,
    matrices,
)
from keras_regopt.augmentation.image.functional._warp import warp

RANDOM = np.random.default_rng(0)
# Smooth, so that no pixel is far from its neighbors, of many levels.
WAVES = np.add.outer(np.sin(np.arange(24) / 4), np.cos(np.arange(32) / 5))
IMAGE = np.stack([90 + 30 * WAVES, 120 - 50 * WAVES, 60 + 20 * WAVES**2], -1)
IMAGE = (IMAGE + RANDOM.uniform(0, 9, IMAGE.shape)).round().astype("uint8")

AMOUNTS = {
    "brightness": (0.1, 0.73, 1.6),
    "color": (0.1, 0.73, 1.9),
    "contrast": (0.1, 0.73, 1.9),
    "sharpness": (0.1, 0.73, 1.9),
    "posterize": (1, 3, 4, 8),
    "solarize": (0, 77, 100.5, 255),
}


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


def batch(images, amounts):
    images = np.repeat(images[None], len(amounts), axis=0)
    amounts = np.array(amounts, "float32")
    return map(keras.ops.convert_to_tensor, (images, amounts))


@pytest.mark.parametrize("name", POINTWISE)
def test_bytes_become_what_pillow_makes_of_them(name):
    amounts = AMOUNTS.get(name, (0,))
    result = to_numpy(POINTWISE[name](*batch(IMAGE, amounts)))
    assert result.dtype == "uint8"
    for image, amount in zip(result, amounts, strict=True):
        expected = operated(IMAGE, name, amount).astype(int)
        assert np.abs(image - expected).max() <= 1, amount


@pytest.mark.any_backend
@pytest.mark.parametrize("name", POINTWISE)
def test_floats_become_what_bytes_become(name):
    amounts = AMOUNTS.get(name, (0,))
    floats, amount = batch(IMAGE.astype("float32"), amounts)
    result = to_numpy(POINTWISE[name](floats, amount))
    expected = to_numpy(POINTWISE[name](*batch(IMAGE, amounts)))
    assert result.dtype == "float32"
    assert np.abs(result - expected).max() <= 0.501


@pytest.mark.parametrize("name", GEOMETRIC)
def test_warps_are_those_of_pillow(name):
    amounts = {"rotate": (-17.3, 29.1, 100)}.get(name, (-0.31, 0.17))
    if "translate" in name:
        amounts = (-7.3, 4.6)
    images, amounts = batch(IMAGE, amounts)
    numbers = 0 * keras.ops.cast(amounts, "int32")
    matrix = matrices([name], numbers, amounts, 24, 32)
    nearest = warp(images, matrix, (24, 32), "nearest", "constant", 128)
    smooth = warp(images, matrix, (24, 32), "bilinear", "constant", 128)
    for i, amount in enumerate(to_numpy(amounts).tolist()):
        expected = operated(IMAGE, name, amount)
        # Pillow counts sixteenths of a bit where two pixels are as near.
        equal = np.all(to_numpy(nearest)[i] == expected, axis=-1)
        assert equal.mean() > 0.98
        expected = operated(
            IMAGE, name, amount, resample=Image.Resampling.BILINEAR
        )
        near = np.abs(to_numpy(smooth)[i] - expected).max(-1) <= 1.01
        assert near.mean() > 0.85
        inside = operated(
            np.pad(IMAGE[2:-2, 2:-2] * 0 + 255, ((2, 2), (2, 2), (0, 0))),
            name,
            amount,
            fill=0,
        )
        assert near[inside[..., 0] == 255].all()


@pytest.mark.any_backend
def test_the_fourth_channel_and_images_without_colors_are_left_alone():
    four = np.concatenate([IMAGE, IMAGE[..., :1]], axis=-1)
    for name in ("brightness", "color", "contrast"):
        result = to_numpy(POINTWISE[name](*batch(four, (0.3,))))
        expected = to_numpy(POINTWISE[name](*batch(IMAGE, (0.3,))))
        assert np.array_equal(result[..., :3], expected)
        assert np.array_equal(result[0, ..., 3], four[..., 3])
    grey = IMAGE[..., :1]
    result = to_numpy(POINTWISE["color"](*batch(grey, (0.3,))))
    assert np.array_equal(result[0], grey)

import math

import keras
import numpy as np
import painted
import PIL.Image
import pytest
from keras import ops

from keras_regopt.augmentation import RandomResizedCrop
from keras_regopt.augmentation.image.random_resized_crop import TRIES


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_of(*shape):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype("float32")


def part_by_torchvision(draws, height, width, scale, ratio):
    """The documented loop over one image, with given draws from 0 to 1.

    Returns top, left, height and width of the part.
    """
    areas, aspects, across, down = draws
    low, high = math.log(ratio[0]), math.log(ratio[1])
    for area, aspect in zip(areas, aspects, strict=True):
        area = height * width * (scale[0] + (scale[1] - scale[0]) * area)
        aspect = math.exp(low + (high - low) * aspect)
        w = round(math.sqrt(area * aspect))
        h = round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            top = math.floor(down * (height - h + 1))
            return top, math.floor(across * (width - w + 1)), h, w
    h, w = height, width
    if width / height < min(ratio):
        h = round(width / min(ratio))
    elif width / height > max(ratio):
        w = round(height * max(ratio))
    return (height - h) // 2, (width - w) // 2, h, w


def resized(image, part, height, width):
    """Bilinear, edge to edge, in double precision."""
    top, left, part_height, part_width = part

    def taps(start, length, count, size):
        at = start + (np.arange(count) + 0.5) * length / count - 0.5
        below = np.floor(at).astype(int)
        pixels = [np.clip(below + i, 0, size - 1) for i in (0, 1)]
        return pixels, at - below

    (y0, y1), down = taps(top, part_height, height, image.shape[0])
    (x0, x1), right = taps(left, part_width, width, image.shape[1])
    image = image.astype("float64")
    down, right = down[:, None, None], right[None, :, None]
    rows = image[y0] * (1 - down) + image[y1] * down
    return rows[:, x0] * (1 - right) + rows[:, x1] * right


def part_of(matrix, height, width):
    """Top, left, height and width of a part, by its matrix."""
    a, e = matrix[0, 0], matrix[1, 1]
    left, top = matrix[0, 2] - (a - 1) / 2, matrix[1, 2] - (e - 1) / 2
    return top, left, e * height, a * width


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("size", "arguments"),
    [
        ((48, 64), {}),
        ((64, 48), {"scale": (0.5, 1.0), "ratio": (0.5, 0.6)}),
        # Nothing fits: the default, each of the three ways.
        ((20, 90), {"scale": (1.0, 1.0), "ratio": (0.9, 1.1)}),
        ((90, 20), {"scale": (1.0, 1.0), "ratio": (0.9, 1.1)}),
        ((40, 45), {"scale": (1.0, 1.0), "ratio": (0.5, 0.6)}),
    ],
)
def test_draws_the_parts_of_torchvision(size, arguments, monkeypatch):
    count = 50
    layer = RandomResizedCrop(8, 8, **arguments)
    draws = np.random.default_rng(0).uniform(size=(2 * TRIES + 2, count))
    draws = draws.astype("float32")
    monkeypatch.setattr(layer, "uniforms", lambda *_: [*map(ops.array, draws)])
    matrices = numpy(layer.sample((count, *size, 3), seed=0)["matrix"])
    assert matrices.dtype == "float32"
    for number, matrix in enumerate(matrices):
        drawn = draws[:, number].astype("float64")
        expected = part_by_torchvision(
            (drawn[:TRIES], drawn[TRIES:-2], *drawn[-2:]),
            *size,
            layer.scale,
            layer.ratio,
        )
        found = part_of(matrix, 8, 8)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def compiled(layer):
    """`layer.apply` as XLA compiles it in `tf.data`, on every backend."""
    import tensorflow as tf

    @tf.function(jit_compile=True, autograph=False)
    def apply(images, matrix):
        return layer.apply(images, {"matrix": matrix})

    return apply


@pytest.mark.any_backend
def test_stretches_the_part_to_the_output():
    # Enlarged one way, shrunk the other.
    images, size = images_of(4, 25, 34, 3), (30, 9)
    layer = RandomResizedCrop(*size, scale=(0.3, 0.9), seed=0)
    matrices = numpy(layer.sample(images.shape, seed=3)["matrix"])
    expected = [
        resized(image, part_of(matrix.astype("float64"), *size), *size)
        for image, matrix in zip(images, matrices, strict=True)
    ]
    outputs = layer.apply(ops.array(images), {"matrix": ops.array(matrices)})
    np.testing.assert_allclose(numpy(outputs), expected, atol=2e-3)
    outputs = compiled(layer)(images, matrices)
    np.testing.assert_allclose(outputs, expected, atol=2e-3)


def test_averages_as_pillow_does_if_asked_to():
    images, size = images_of(4, 25, 34, 1), (40, 5)
    layer = RandomResizedCrop(
        *size, scale=(0.3, 0.9), ratio=(0.5, 2), antialias=True
    )
    matrices = numpy(layer.sample(images.shape, seed=3)["matrix"])
    expected = []
    for image, matrix in zip(images[..., 0], matrices, strict=True):
        top, left, height, width = np.round(part_of(matrix, *size))
        expected.append(
            PIL.Image.fromarray(image).resize(
                size[::-1],
                PIL.Image.Resampling.BILINEAR,
                box=(left, top, left + width, top + height),
            )
        )
    expected = np.stack(expected)[..., None]
    outputs = layer.apply(ops.array(images), {"matrix": ops.array(matrices)})
    np.testing.assert_allclose(numpy(outputs), expected, atol=2e-3)
    outputs = compiled(layer)(images, matrices)
    np.testing.assert_allclose(outputs, expected, atol=2e-3)


@pytest.mark.any_backend
@pytest.mark.parametrize("size", [(12, 30), (30, 9)])
def test_rests_at_the_middle_of_the_aspect_of_the_output(size):
    images = images_of(4, 25, 34, 3)
    aspect = size[1] / size[0]
    height, width = min(25, 34 / aspect), min(34, 25 * aspect)
    part = (25 - height) / 2, (34 - width) / 2, height, width
    expected = [resized(image, part, *size) for image in images]
    for layer, training in (
        (RandomResizedCrop(*size), False),
        (RandomResizedCrop(*size, rate=0), True),
    ):
        result = numpy(layer(images, training=training))
        np.testing.assert_allclose(result, expected, atol=2e-3)


def test_rests_like_the_resizing_of_keras():
    images = images_of(2, 24, 36, 3)
    reference = keras.layers.Resizing(12, 12, crop_to_aspect_ratio=True)
    result = numpy(RandomResizedCrop(12, 12)(images, training=False))
    np.testing.assert_allclose(result, numpy(reference(images)), atol=1e-3)


@pytest.mark.any_backend
def test_rounds_bytes_and_keeps_their_dtype():
    images = images_of(4, 25, 34, 3)
    layers = [RandomResizedCrop(30, 9, seed=0) for _ in range(2)]
    bytes_ = numpy(layers[0](images.astype("uint8")))
    floats = numpy(layers[1](images.astype("uint8").astype("float32")))
    assert bytes_.dtype == "uint8"
    assert np.abs(bytes_ - floats).max() < 0.501


@pytest.mark.any_backend
def test_makes_images_of_unknown_sizes_alike_in_tf_data():
    images = [images_of(25, 34, 3), 1000 + images_of(3, 5, 3)]
    for antialias in (False, True):
        layer = RandomResizedCrop(30, 9, antialias=antialias, seed=0)
        data = painted.unknown_sizes(images)
        (outputs,) = data.map(layer).batch(2)
        assert outputs.shape == (2, 30, 9, 3)
        # The mean over a part is somewhere near that of the image.
        means = outputs.numpy().mean(axis=(1, 2, 3))
        assert np.abs(means - [127, 1127]).max() < 60
    (rest, _) = data.map(lambda x: layer(x, training=False))
    expected = numpy(layer(images[0], training=False))
    np.testing.assert_allclose(rest, expected, atol=1e-3)


@pytest.mark.any_backend
def test_boxes_masks_and_keypoints_go_where_the_pixels_go():
    layer = RandomResizedCrop(
        80, 60, scale=(0.3, 0.9), bounding_box_format="xywh", seed=0
    )
    for layer.bounding_box_format in painted.FORMATS:
        # A pixel of the input can be three of the output.
        painted.require_that_all_follow(layer, tolerance=1.6)


@pytest.mark.any_backend
def test_promises_the_shapes_of_all_that_it_returns():
    layer = RandomResizedCrop(5, 7, data_format="channels_first")
    outputs = layer.compute_output_spec(
        {
            "images": keras.KerasTensor((None, 3, None, None), "float32"),
            "segmentation_masks": keras.KerasTensor((None, 9, 12), "int32"),
        }
    )
    assert outputs["images"].shape == (None, 3, 5, 7)
    assert outputs["segmentation_masks"].shape == (None, 5, 7)
    data = {
        "images": images_of(2, 3, 9, 12),
        "segmentation_masks": np.ones((2, 9, 12), "int32"),
    }
    outputs = layer(data)
    assert outputs["images"].shape == (2, 3, 5, 7)
    assert outputs["segmentation_masks"].shape == (2, 5, 7)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("height", 0),
        ("width", "wide"),
        ("scale", 0.5),
        ("scale", (0, 1)),
        ("scale", (0.5, 1.1)),
        ("scale", (0.5, 0.4)),
        ("ratio", (0, 1)),
        ("ratio", (1, 2, 3)),
        ("ratio", (2, 1)),
        ("interpolation", "area"),
        ("antialias", 1),
    ],
)
def test_refuses_bad_arguments(name, value):
    arguments = {"height": 5, "width": 7, name: value}
    with pytest.raises(
        ValueError, match=f"`{name}` of RandomResizedCrop must be"
    ):
        RandomResizedCrop(**arguments)


@pytest.mark.any_backend
def test_averages_by_triangles_alone():
    with pytest.raises(ValueError, match="`antialias` of RandomResizedCrop"):
        RandomResizedCrop(5, 7, interpolation="nearest", antialias=True)

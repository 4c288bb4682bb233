import math

import keras
import numpy as np
import pytest
import scipy.ndimage
from keras import ops

from keras_regopt.augmentation import RandomAffine
from keras_regopt.augmentation._compile import run_compiled
from keras_regopt.augmentation.image.functional._warp import warp

# The same rules under SciPy's names.
SCIPY_MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}
STILL = {"flip": None, "rotation": 0, "zoom": 0, "translation": 0}


def images_of(*shape):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def by_scipy(images, matrices, **options):
    """SciPy counts rows before columns, so the matrices are turned round."""
    return np.stack(
        [
            np.stack(
                [
                    scipy.ndimage.affine_transform(
                        image[..., channel],
                        matrix[::-1, 1::-1],
                        matrix[::-1, 2],
                        **options,
                    )
                    for channel in range(image.shape[-1])
                ],
                axis=-1,
            )
            for image, matrix in zip(images, matrices, strict=True)
        ]
    )


@pytest.mark.any_case
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", list(SCIPY_MODES))
def test_follows_scipy_inside_and_beyond_the_edge(fill_mode, interpolation):
    layer = RandomAffine(
        flip="both",
        rotation=0.3,
        zoom=0.5,
        translation=0.5,
        shear=0.5,
        fill_mode=fill_mode,
        interpolation=interpolation,
        fill_value=7.0,
    )
    images = images_of(6, 13, 18, 2)
    parameters = layer.sample(images.shape, seed=3)
    tensor = ops.convert_to_tensor(images)
    result = run_compiled(layer, "apply", tensor, parameters)
    expected = by_scipy(
        images,
        numpy(parameters["matrix"])[:, :2],
        order=1 if interpolation == "bilinear" else 0,
        mode=SCIPY_MODES[fill_mode],
        cval=7.0,
    )
    np.testing.assert_allclose(numpy(result), expected, atol=2e-3)


@pytest.mark.any_case
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"rotation": (0.07, 0.07)}, keras.layers.RandomRotation),
        ({"rotation": (-0.2, -0.2)}, keras.layers.RandomRotation),
        ({"zoom": (0.3, 0.3)}, keras.layers.RandomZoom),
        ({"zoom": (-0.3, -0.3)}, keras.layers.RandomZoom),
        ({"translation": (0.2, 0.2)}, keras.layers.RandomTranslation),
    ],
)
def test_has_the_units_of_the_layer_of_keras(ours, theirs):
    images = images_of(1, 20, 30, 1)
    ((name, factor),) = ours.items()
    factors = [factor] * (2 if name == "translation" else 1)
    reference = theirs(*factors, fill_mode="constant")(images, training=True)
    layer = RandomAffine(**{**STILL, **ours}, fill_mode="constant")
    result = numpy(layer(images))
    np.testing.assert_allclose(result, numpy(reference), atol=0.05)


@pytest.mark.any_backend
def test_shears_about_the_center_by_pixels_for_each_pixel():
    layer = RandomAffine(**STILL, shear=(0.5, 0.5))
    matrix = numpy(layer.sample((1, 11, 11, 1), seed=0)["matrix"])[0]
    matrix = matrix[:2]
    # Two shears, one after the other: the area stays.
    np.testing.assert_allclose(matrix[:, :2], [[1.25, 0.5], [0.5, 1]])
    np.testing.assert_allclose(matrix @ [5, 5, 1], [5, 5], atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize(("flip", "axis"), [("horizontal", 2), ("vertical", 1)])
def test_flips_half_of_the_images_exactly(flip, axis):
    images = images_of(200, 4, 5, 1)
    layer = RandomAffine(**{**STILL, "flip": flip}, seed=0)
    result = numpy(layer(images))
    flipped = np.flip(images, axis)
    same = (result == images).all(axis=(1, 2, 3))
    turned = (result == flipped).all(axis=(1, 2, 3))
    assert (same ^ turned).all()
    # Five standard deviations.
    assert abs(turned.sum() - 100) < 5 * math.sqrt(200 / 4)


@pytest.mark.any_backend
def test_flips_each_way_on_a_coin_of_its_own():
    layer = RandomAffine(**{**STILL, "flip": "both"})
    matrix = numpy(layer.sample((4000, 8, 8, 1), seed=0)["matrix"])
    ways = np.stack([matrix[:, 0, 0] < 0, matrix[:, 1, 1] < 0], axis=-1)
    for way in ([0, 0], [0, 1], [1, 0], [1, 1]):
        count = (ways == way).all(axis=-1).sum()
        assert abs(count - 1000) < 5 * math.sqrt(4000 * 3 / 16)


@pytest.mark.any_backend
def test_draws_every_factor_evenly_from_its_range_for_each_image():
    layer = RandomAffine(
        flip=None, rotation=(0.05, 0.1), zoom=(-0.3, 0.1), translation=0.2
    )
    count, size = 4000, 100
    shape = (count, size, size, 1)
    matrix = numpy(layer.sample(shape, seed=1)["matrix"])[:, :2]
    matrix = matrix.astype("float64")
    scale = np.hypot(matrix[:, 0, 0], matrix[:, 1, 0])
    turn = np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0]) / (2 * math.pi)
    # The input center lands where it was shifted to.
    center = np.full(2, (size - 1) / 2)
    landed = np.stack(
        [np.linalg.solve(m[:, :2], center - m[:, 2]) for m in matrix]
    )
    shift = (landed - center) / size
    for values, low, high in (
        (turn, 0.05, 0.1),
        (scale - 1, -0.3, 0.1),
        (shift[:, 0], -0.2, 0.2),
        (shift[:, 1], -0.2, 0.2),
    ):
        width = high - low
        assert low - 1e-4 <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high + 1e-4
        spread = width / math.sqrt(12 * count)
        assert abs(values.mean() - (low + high) / 2) < 5 * spread
    drawn = np.stack([turn, scale, *shift.T])
    correlations = np.corrcoef(drawn)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 5 / math.sqrt(count)


@pytest.mark.any_backend
def test_the_defaults_change_images_a_little():
    images = images_of(8, 32, 32, 3)
    images = scipy.ndimage.gaussian_filter(images, (0, 4, 4, 0))
    result = numpy(RandomAffine(flip=None, seed=0)(images))
    change = np.abs(result - images).mean() / np.std(images)
    assert 0.05 < change < 1.0


@pytest.mark.any_backend
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 5, 3), (1, 7, 1, 1)])
@pytest.mark.parametrize("fill_mode", list(SCIPY_MODES))
def test_takes_the_smallest_images(shape, fill_mode):
    layer = RandomAffine(shear=0.5, rotation=0.5, fill_mode=fill_mode)
    result = numpy(layer(np.full(shape, 3.0, "float32")))
    assert result.shape == shape
    if fill_mode != "constant":
        np.testing.assert_allclose(result, 3.0)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flip", "sideways"),
        ("flip", True),
        ("rotation", 1.5),
        ("rotation", (0.2, 0.1)),
        ("rotation", (-2, 0)),
        ("rotation", "much"),
        ("zoom", 1.0),
        ("zoom", (-1.0, 0.0)),
        ("translation", -0.1),
        ("shear", (0, 0.1, 0.2)),
        ("shear", float("nan")),
        ("fill_mode", "mirror"),
        ("interpolation", "lanczos"),
        ("bounding_box_format", "xyhw"),
        ("fill_value", None),
        ("seed", -1),
        ("seed", 1.5),
        ("rate", 1.2),
        ("data_format", "channels_middle"),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomAffine must be"):
        RandomAffine(**{name: value})


@pytest.mark.any_backend
def test_a_layer_that_only_flips_moves_bytes_as_the_warp_would():
    layer = RandomAffine(**{**STILL, "flip": "both"})
    images = images_of(8, 5, 6, 3).astype("uint8")
    tensor = ops.convert_to_tensor(images)
    parameters = layer.sample(images.shape, seed=0)
    expected = numpy(warp(tensor, parameters["matrix"], (5, 6), "nearest"))
    assert not np.array_equal(expected, images)
    for moved in (layer.apply, layer.apply_to_masks):
        result = moved(tensor, parameters)
        assert keras.backend.standardize_dtype(result.dtype) == "uint8"
        np.testing.assert_array_equal(numpy(result), expected)


@pytest.mark.any_backend
def test_bytes_are_interpolated_as_floats_and_rounded():
    images = images_of(4, 12, 9, 3).astype("uint8")
    outputs = [
        numpy(RandomAffine(seed=0, interpolation="bicubic")(x))
        for x in (images, images.astype("float32"))
    ]
    assert outputs[0].dtype == "uint8"
    # Cubics overshoot; bytes must not wrap around.
    assert outputs[1].min() < 0 or outputs[1].max() > 255
    expected = np.clip(np.round(outputs[1]), 0, 255)
    np.testing.assert_array_equal(outputs[0], expected)

import numpy as np
import painted
import pytest
import scipy.ndimage
from keras import ops

from keras_regopt.augmentation import RandomElastic
from keras_regopt.augmentation._compile import run_compiled

# The same rules under SciPy's names.
SCIPY_MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_of(*shape):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype("float32")


def displacements(grids, sigma, y, x):
    """The sum of one Gaussian for each point of a grid, at some points.

    A grid, of `sigma` pixels, begins four steps before the image.
    """
    rows, columns = np.indices(grids.shape[1:])
    away_y = y[..., None, None] - sigma * (rows - 4.0)
    away_x = x[..., None, None] - sigma * (columns - 4.0)
    weights = np.exp(-(away_y**2 + away_x**2) / (2 * sigma**2))
    return np.tensordot(grids.astype("float64"), weights, ([1, 2], [-2, -1]))


def fields(parameters, sigma, height, width):
    """Displacements of all pixels, `dx` first."""
    y, x = np.mgrid[:height, :width].astype("float64")
    return np.array(
        [
            displacements(numpy(parameters[name]), sigma, y, x)
            for name in ("dx", "dy")
        ]
    )


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", list(SCIPY_MODES))
def test_reads_each_pixel_where_the_field_leads(fill_mode, interpolation):
    height, width = 13, 18
    layer = RandomElastic(
        40, 3, fill_mode, interpolation=interpolation, fill_value=7.0
    )
    images = images_of(2, height, width, 2)
    parameters = layer.sample(images.shape, seed=3)
    result = run_compiled(layer, "apply", ops.array(images), parameters)
    y, x = np.mgrid[:height, :width]
    moved = fields(parameters, 3, height, width)
    for number, image in enumerate(numpy(result)):
        dx, dy = moved[:, number]
        assert np.abs(dx).max() > 2
        for channel in range(2):
            expected = scipy.ndimage.map_coordinates(
                images[number, ..., channel],
                [y + dy, x + dx],
                order=1 if interpolation == "bilinear" else 0,
                mode=SCIPY_MODES[fill_mode],
                cval=7.0,
            )
            np.testing.assert_allclose(image[..., channel], expected, atol=5e-3)


@pytest.mark.parametrize(("alpha", "sigma"), [(34.0, 4.0), (10.0, 1.5)])
def test_draws_the_fields_of_the_paper(alpha, sigma):
    """Noise from -1 to 1, blurred and multiplied."""
    count, size, beyond = 600, 12, 20
    layer = RandomElastic(alpha, sigma)
    ours = fields(layer.sample((count, size, size, 1), 0), sigma, size, size)
    noise = np.random.default_rng(0).uniform(
        -1, 1, (count, *[size + 2 * beyond] * 2)
    )
    blurred = scipy.ndimage.gaussian_filter(noise, (0, sigma, sigma))
    theirs = alpha * blurred[:, beyond:-beyond, beyond:-beyond]
    for field in ours:
        # About 600 images of 1 to 30 independent places each.
        assert abs(field.std() / theirs.std() - 1) < 0.08
        np.testing.assert_allclose(
            field.std(), 0.163 * alpha / sigma, rtol=0.08
        )
        # As strong in the corner as anywhere.
        assert abs(field[:, 0, 0].std() / theirs.std() - 1) < 0.15
        for steps in (1, 2, 4, 8):
            for axis in (1, 2):
                lagged = [
                    (a * np.roll(a, -steps, axis))
                    .take(range(size - steps), axis)
                    .mean()
                    / a.var()
                    for a in (field, theirs)
                ]
                assert abs(lagged[0] - lagged[1]) < 0.1
    across, down = ours.reshape(2, -1)
    assert abs(np.corrcoef(across, down)[0, 1]) < 0.1


@pytest.mark.any_backend
def test_draws_a_strength_for_each_image():
    layer = RandomElastic((10, 90), 2, seed=0)
    grids = numpy(layer.sample((400, 60, 60, 1), seed=1)["dx"])
    strengths = grids.std(axis=(1, 2)) * np.sqrt(12) * np.pi * 2
    # 1500 numbers each tell a strength within 2 %.
    assert 10 <= strengths.min() * 1.1 < 14
    assert 82 < strengths.max() / 1.1 <= 90
    assert abs(strengths.mean() - 50) < 5 * 80 / np.sqrt(12 * 400)


@pytest.mark.any_backend
def test_changes_nothing_without_strength():
    images = images_of(2, 9, 11, 3)
    np.testing.assert_array_equal(numpy(RandomElastic(0)(images)), images)


@pytest.mark.any_backend
def test_tells_where_a_point_went():
    size, sigma = 64, 4.0
    layer = RandomElastic(34.0, sigma)
    parameters = layer.sample((2, size, size, 1), seed=0)
    points = np.random.default_rng(0).uniform(0, size, (2, 500, 2))
    points = points.astype("float32")
    found = layer.apply_to_keypoints(ops.array(points), parameters, None)
    found = numpy(found).astype("float64") - 0.5
    for number, (x, y) in enumerate(np.moveaxis(found, -1, 1)):
        # Read backwards, as the pixels are.
        back = [
            at + displacements(numpy(parameters[k])[[number]], sigma, y, x)[0]
            for k, at in (("dx", x), ("dy", y))
        ]
        missed = np.abs(np.stack(back, axis=-1) + 0.5 - points[number])
        assert np.quantile(missed, 0.99) < 0.05


@pytest.mark.any_backend
def test_boxes_masks_and_keypoints_go_where_the_pixels_go():
    layer = RandomElastic(
        150, 10, fill_mode="constant", bounding_box_format="xyxy", seed=0
    )
    for layer.bounding_box_format in painted.FORMATS:
        painted.require_that_all_follow(layer, tolerance=1.6)


@pytest.mark.any_backend
def test_distorts_images_of_unknown_size_in_tf_data():
    images = images_of(3, 17, 23, 2)
    data = painted.unknown_sizes(images).map(RandomElastic(seed=0))
    outputs = np.stack(list(data.as_numpy_iterator()))
    assert outputs.shape == images.shape
    change = np.abs(outputs - images).mean(axis=(1, 2, 3))
    assert (change > 10).all()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", -1),
        ("alpha", (2, 1)),
        ("alpha", "strong"),
        ("sigma", 0.5),
        ("sigma", (1, 2)),
        ("fill_mode", "mirror"),
        ("interpolation", "area"),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomElastic must be"):
        RandomElastic(**{name: value})

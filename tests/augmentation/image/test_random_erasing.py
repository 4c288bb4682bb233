import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import RandomErasing


def images_of(*shape, dtype="uint8"):
    images = np.random.default_rng(0).uniform(1, 255, shape)
    return images.astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def holes_of(layer, count, height, width):
    """Where ones become zeros."""
    return numpy(layer(np.ones((count, height, width, 1))))[..., 0] == 0


def sides_of(holes):
    """Heights and widths, after a check that each hole is one rectangle."""
    rows, columns = holes.any(axis=2), holes.any(axis=1)
    assert (holes == rows[:, :, None] & columns[:, None, :]).all()
    for marks in (rows, columns):
        edges = np.diff(np.pad(marks, ((0, 0), (1, 1))).astype(int), axis=1)
        assert (abs(edges).sum(axis=1) == 2).all()
    return rows.sum(axis=1), columns.sum(axis=1)


def test_every_image_loses_a_rectangle_of_its_own():
    holes = holes_of(RandomErasing(seed=0), 300, 40, 30)
    heights, widths = sides_of(holes)
    areas = heights * widths / 1200
    # Half a pixel of rounding on each side.
    assert 0.01 < areas.min() < 0.03
    assert 0.32 < areas.max() < 0.36
    ratios = widths / heights
    assert 0.2 < ratios.min() < 0.4
    assert 2.8 < ratios.max() < 4.0
    assert len(np.unique(holes.reshape(300, -1), axis=0)) > 290


@pytest.mark.any_backend
def test_area_ratio_and_place_are_drawn_evenly():
    layer = RandomErasing(scale=(0.1, 0.2), ratio=(0.5, 2.0))
    drawn = layer.sample((4000, 1000, 1000, 1), seed=1)
    drawn = {name: numpy(value) for name, value in drawn.items()}
    heights = drawn["bottom"] - drawn["top"]
    widths = drawn["right"] - drawn["left"]
    for values, low, high in (
        (heights * widths / 1e6, 0.1, 0.2),
        (np.log(widths / heights), -np.log(2), np.log(2)),
        (drawn["top"] / (1000 - heights), 0, 1),
        (drawn["left"] / (1000 - widths), 0, 1),
    ):
        shares, _ = np.histogram(values, 4, (low, high))
        # Five standard deviations of a share of a quarter.
        assert abs(shares - 1000).max() < 5 * np.sqrt(4000 * 3 / 16)


@pytest.mark.any_backend
def test_the_area_is_kept_where_the_ratio_does_not_fit():
    heights, widths = sides_of(
        holes_of(RandomErasing(scale=0.5, ratio=100), 3, 20, 40)
    )
    assert (heights == 10).all()
    assert (widths == 40).all()
    heights, widths = sides_of(
        holes_of(RandomErasing(scale=0.5, ratio=0.01), 3, 20, 40)
    )
    assert (heights == 20).all()
    assert (widths == 20).all()


@pytest.mark.any_backend
def test_all_of_an_image_may_go_and_at_least_a_pixel_does():
    assert holes_of(RandomErasing(scale=1.0), 3, 7, 5).all()
    holes = holes_of(RandomErasing(scale=0.0, ratio=1.0), 3, 7, 5)
    assert holes.sum(axis=(1, 2)).tolist() == [1, 1, 1]


@pytest.mark.any_backend
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_not_erased_stays_and_the_rest_is_the_fill_value(
    dtype, channels
):
    images = images_of(8, 9, 12, channels, dtype=dtype)
    layer = RandomErasing(fill_value=77, seed=2)
    holes = holes_of(RandomErasing(seed=2), 8, 9, 12)[..., None]
    expected = np.where(holes, 77, images)
    np.testing.assert_array_equal(numpy(layer(images)), expected)


@pytest.mark.any_backend
def test_a_fill_value_beyond_a_byte_saturates():
    images = images_of(3, 7, 5, 1)
    for value, expected in ((300, 255), (-5, 0), (2.6, 3)):
        result = numpy(RandomErasing(scale=1.0, fill_value=value)(images))
        assert (result == expected).all()


@pytest.mark.any_backend
def test_not_a_number_is_erased_too():
    images = np.full((2, 4, 4, 1), np.nan, "float32")
    assert (numpy(RandomErasing(scale=1.0)(images)) == 0).all()


@pytest.mark.any_backend
def test_the_mean_is_that_of_each_channel_of_each_image():
    images = images_of(3, 8, 6, 3)
    result = numpy(RandomErasing(scale=1.0, fill_mode="mean")(images))
    means = images.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_array_equal(
        result, np.broadcast_to(np.round(means), images.shape)
    )
    images = images.astype("float32")
    result = numpy(RandomErasing(scale=1.0, fill_mode="mean")(images))
    np.testing.assert_allclose(result - means, 0, atol=1e-3)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("dtype", "value_range"), [("uint8", (10, 250)), ("float32", (-1, 1))]
)
def test_noise_is_spread_evenly_over_the_value_range(dtype, value_range):
    images = np.full((4, 50, 50, 2), value_range[1], dtype)
    layer = RandomErasing(
        scale=1.0, fill_mode="noise", value_range=value_range, seed=0
    )
    result = numpy(layer(images)).astype("float64")
    low, high = value_range
    assert low <= result.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < result.max() <= high
    shares, _ = np.histogram(result, 8, value_range)
    even = result.size / 8
    assert abs(shares - even).max() < 5 * np.sqrt(even) + even / 50
    flat = result.reshape(4, -1) - result.mean()
    # Neither the images nor the channels share their noise.
    assert abs(np.corrcoef(flat) - np.eye(4)).max() < 5 / np.sqrt(5000)
    channels = np.corrcoef(result[..., 0].ravel(), result[..., 1].ravel())
    assert abs(channels[0, 1]) < 5 / np.sqrt(10000)


@pytest.mark.any_backend
@pytest.mark.parametrize("erase_masks", [False, True])
def test_masks_follow_if_they_are_told_to_and_all_else_stays(erase_masks):
    data = {
        "images": np.ones((6, 9, 8, 3), "float32"),
        "labels": np.arange(6),
        "bounding_boxes": {
            "boxes": np.ones((6, 1, 4)),
            "labels": np.ones((6, 1)),
        },
        "segmentation_masks": np.full((6, 9, 8), 5, "int32"),
    }
    layer = RandomErasing(erase_masks=erase_masks, rate=0.5, seed=0)
    outputs = layer(data)
    holes = numpy(outputs["images"])[..., 0] == 0
    assert 0 < holes.any(axis=(1, 2)).sum() < 6
    masks = numpy(outputs["segmentation_masks"])
    expected = np.where(holes & erase_masks, 0, 5)
    np.testing.assert_array_equal(masks, expected)
    assert masks.dtype == "int32"
    for key in ("labels", "bounding_boxes"):
        assert outputs[key] is data[key]


@pytest.mark.any_backend
@pytest.mark.parametrize("fill_mode", ["constant", "mean", "noise"])
def test_sizes_that_are_not_known_give_the_same(fill_mode):
    images = images_of(2, 7, 9, 3)
    spec = tf.TensorSpec((None, None, None, None), "uint8")
    dataset = tf.data.Dataset.from_generator(
        lambda: [images], output_signature=spec
    )
    layer = RandomErasing(scale=1.0, fill_mode=fill_mode, fill_value=3)
    (result,) = dataset.map(layer)
    assert result.shape == images.shape
    if fill_mode != "noise":
        np.testing.assert_array_equal(result, numpy(layer(images)))


@pytest.mark.any_backend
def test_images_beyond_the_range_are_warned_of_for_noise_alone():
    images = np.full((1, 3, 3, 1), -2, "float32")
    RandomErasing()(images)
    with pytest.warns(UserWarning, match="`value_range`"):
        RandomErasing(fill_mode="noise")(images)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", 1.5),
        ("scale", (0.3, 0.1)),
        ("ratio", 0),
        ("ratio", (2, 1)),
        ("fill_mode", "random"),
        ("fill_value", "0"),
        ("value_range", (1, 0)),
        ("erase_masks", 2),
    ],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomErasing"):
        RandomErasing(**{name: value})

import numpy as np
import painted
import pytest
from keras import ops

from keras_regopt.augmentation import RandomPadCrop

# The same rules under NumPy's names.
NUMPY_MODES = {
    "constant": "constant",
    "nearest": "edge",
    "reflect": "symmetric",
    "wrap": "wrap",
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def images_of(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")


def windows_of(padded, height, width):
    """All windows of a padded image, by row and column."""
    return {
        (y, x): padded[y : y + height, x : x + width]
        for y in range(padded.shape[0] - height + 1)
        for x in range(padded.shape[1] - width + 1)
    }


def fitting(crop, padded):
    windows = windows_of(padded, *crop.shape[:2])
    return [p for p, window in windows.items() if np.array_equal(window, crop)]


@pytest.mark.parametrize("fill_mode", list(NUMPY_MODES))
def test_pads_each_image_and_cuts_a_window_of_its_size(fill_mode):
    images = images_of(20, 8, 11, 3)
    layer = RandomPadCrop(2, fill_mode, fill_value=9, seed=0)
    crops = numpy(layer(images))
    assert crops.dtype == "uint8"
    options = {"constant_values": 9} if fill_mode == "constant" else {}
    margins = ((0, 0), (2, 2), (2, 2), (0, 0))
    padded = np.pad(images, margins, NUMPY_MODES[fill_mode], **options)
    found = [fitting(*pair) for pair in zip(crops, padded, strict=True)]
    assert all(len(places) == 1 for places in found)
    assert len({places[0] for places in found}) > 5


@pytest.mark.any_backend
def test_every_shift_is_equally_likely():
    count = 9000
    layer = RandomPadCrop(1)
    matrix = numpy(layer.sample((count, 5, 6, 1), seed=2)["matrix"])
    shift_x, shift_y = matrix[:, 0, 2].astype(int), matrix[:, 1, 2].astype(int)
    counts = np.zeros((3, 3))
    np.add.at(counts, (shift_y + 1, shift_x + 1), 1)
    # 99.9 % of chi squared with eight degrees of freedom.
    assert ((counts - 1000) ** 2 / 1000).sum() < 26.1


@pytest.mark.any_backend
def test_a_margin_may_be_wider_than_the_image():
    images = images_of(6, 2, 3, 1)
    crops = numpy(RandomPadCrop(7, "reflect", seed=0)(images))
    padded = np.pad(images, ((0, 0), (7, 7), (7, 7), (0, 0)), "symmetric")
    for pair in zip(crops, padded, strict=True):
        assert fitting(*pair)


@pytest.mark.any_backend
def test_moves_images_of_unknown_size_in_tf_data():
    images = images_of(6, 8, 11, 3)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    data = painted.unknown_sizes(images).map(RandomPadCrop(2, seed=0))
    for crop, image in zip(data.as_numpy_iterator(), padded, strict=True):
        assert fitting(crop, image)


@pytest.mark.any_backend
def test_images_that_the_rate_spares_stay():
    images = images_of(40, 8, 11, 3)
    crops = numpy(RandomPadCrop(3, rate=0.5, seed=0)(images))
    same = (crops == images).all(axis=(1, 2, 3))
    # Five standard deviations of the coin; one shift in 49 is none.
    assert abs(same.mean() - 0.51) < 5 * 0.5 / np.sqrt(40)


@pytest.mark.any_backend
def test_boxes_masks_and_keypoints_go_where_the_pixels_go():
    layer = RandomPadCrop(20, bounding_box_format="xyxy", seed=0)
    for layer.bounding_box_format in painted.FORMATS:
        painted.require_that_all_follow(layer)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [("padding", 0), ("padding", 1.5), ("fill_mode", "mirror")],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomPadCrop must be"):
        RandomPadCrop(**{name: value})

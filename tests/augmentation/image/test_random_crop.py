import keras
import numpy as np
import painted
import pytest
from keras import ops

from keras_regopt.augmentation import RandomCrop

# The same rules under NumPy's names.
NUMPY_MODES = {
    "constant": "constant",
    "nearest": "edge",
    "reflect": "symmetric",
    "wrap": "wrap",
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def numbered(batch, height, width, dtype="int32"):
    """Images of which no two pixels are alike."""
    pixels = np.arange(batch * height * width).reshape(batch, height, width)
    return np.stack([pixels, pixels], axis=-1).astype(dtype)


def places(crops, images):
    """Row and column of the window, by its first pixel."""
    height, width = images.shape[1:3]
    pixels = np.round(crops[:, 0, 0, 0]).astype(int)
    return np.stack([pixels // width % height, pixels % width], axis=-1)


def cut(images, places, height, width):
    return np.stack(
        [
            image[y : y + height, x : x + width]
            for image, (y, x) in zip(images, places, strict=True)
        ]
    )


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_copies_a_window_of_each_image(dtype):
    images = numbered(20, 9, 12, dtype)
    crops = numpy(RandomCrop(5, 7, seed=0)(images))
    found = places(crops, images)
    assert len(np.unique(found, axis=0)) > 5
    assert crops.dtype == dtype
    np.testing.assert_array_equal(crops, cut(images, found, 5, 7))


@pytest.mark.parametrize("known", [True, False])
def test_copies_windows_in_tf_data(known):
    import tensorflow as tf

    images = numbered(20, 9, 12)
    data = painted.unknown_sizes(images)
    if known:
        data = tf.data.Dataset.from_tensor_slices(images)
    data = data.batch(10).map(RandomCrop(5, 7, seed=0))
    # Sizes that are known again can be batched and compiled.
    assert data.element_spec.shape[1:] == (5, 7, 2)
    crops = np.concatenate(list(data.as_numpy_iterator()))
    found = places(crops, images)
    assert len(np.unique(found, axis=0)) > 5
    np.testing.assert_array_equal(crops, cut(images, found, 5, 7))


@pytest.mark.any_backend
def test_every_place_is_equally_likely():
    count = 6000
    images = np.zeros((1, 4, 6, 1))
    layer = RandomCrop(3, 4, seed=0)
    matrix = numpy(layer.sample((count, *images.shape[1:]), seed=1)["matrix"])
    left, top = matrix[:, 0, 2].astype(int), matrix[:, 1, 2].astype(int)
    assert matrix.dtype == "float32"
    np.testing.assert_array_equal(matrix[:, :2, :2], [np.eye(2)] * count)
    counts = np.zeros((2, 3))
    np.add.at(counts, (top, left), 1)
    # 99.9 % of chi squared with five degrees of freedom.
    assert ((counts - 1000) ** 2 / 1000).sum() < 20.5


@pytest.mark.parametrize("size", [(5, 7), (4, 6), (9, 12)])
def test_rests_in_the_middle_like_the_layer_of_keras(size):
    images = numbered(2, 9, 12, "float32")
    expected = numpy(keras.layers.CenterCrop(*size)(images))
    layer = RandomCrop(*size)
    np.testing.assert_array_equal(layer(images, training=False), expected)
    # So do the images that `rate` spares.
    layer = RandomCrop(*size, rate=0)
    np.testing.assert_array_equal(layer(images, training=True), expected)


@pytest.mark.any_backend
@pytest.mark.parametrize("fill_mode", list(NUMPY_MODES))
def test_pads_images_that_are_too_small_if_asked_to(fill_mode):
    images = numbered(40, 4, 9)
    layer = RandomCrop(
        7, 5, pad_if_needed=True, fill_mode=fill_mode, fill_value=-7, seed=0
    )
    crops = numpy(layer(images))
    options = {"constant_values": -7} if fill_mode == "constant" else {}
    margins = ((0, 0), (3, 3), (0, 0), (0, 0))
    padded = np.pad(images, margins, NUMPY_MODES[fill_mode], **options)
    seen = set()
    for crop, image in zip(crops, padded, strict=True):
        fitting = [
            (y, x)
            for y in range(4)
            for x in range(5)
            if np.array_equal(crop, image[y : y + 7, x : x + 5])
        ]
        assert len(fitting) == 1
        seen.update(fitting)
    assert {y for y, _ in seen} == {0, 1, 2, 3}
    assert {x for _, x in seen} == {0, 1, 2, 3, 4}
    middle = padded[:, 2:9, 2:7]
    np.testing.assert_array_equal(layer(images, training=False), middle)


@pytest.mark.any_backend
def test_fills_bytes_with_what_a_byte_can_hold():
    layer = RandomCrop(4, 4, pad_if_needed=True, fill_value=300.0)
    crops = numpy(layer(np.zeros((1, 2, 2, 1), "uint8"), training=False))
    assert (crops.max(), crops.sum()) == (255, 12 * 255)


@pytest.mark.any_backend
def test_refuses_images_that_are_too_small():
    layer = RandomCrop(9, 5)
    message = (
        "`height` of RandomCrop must be at most that of the images, 8. "
        "Received: height=9. Set `pad_if_needed=True`"
    )
    images = np.zeros((8, 9, 1))
    for training in (True, False):
        with pytest.raises(ValueError, match=message):
            layer(images, training=training)
    with pytest.raises(ValueError, match="`width` of RandomCrop"):
        RandomCrop(5, 10)(images)


def test_refuses_images_whose_size_turns_out_too_small():
    import tensorflow as tf

    data = painted.unknown_sizes(np.zeros((1, 8, 9, 1)))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="Set `pad_if_needed=True`"
    ):
        list(data.map(RandomCrop(9, 5)))
    (crop,) = data.map(RandomCrop(9, 5, pad_if_needed=True))
    assert crop.shape == (9, 5, 1)


@pytest.mark.any_backend
def test_boxes_masks_and_keypoints_go_where_the_pixels_go():
    layer = RandomCrop(40, 50, bounding_box_format="xyxy", seed=0)
    for layer.bounding_box_format in painted.FORMATS:
        painted.require_that_all_follow(layer)


@pytest.mark.any_backend
def test_boxes_masks_and_keypoints_follow_into_a_larger_window():
    painted.require_that_all_follow(
        RandomCrop(
            70, 50, pad_if_needed=True, bounding_box_format="xywh", seed=0
        )
    )


@pytest.mark.any_backend
def test_promises_the_shapes_of_all_that_it_returns():
    layer = RandomCrop(5, 7)
    images = keras.KerasTensor((None, 9, 12, 3), "uint8")
    for masks, expected in (
        ((None, 9, 12), (None, 5, 7)),
        ((None, 9, 12, 2), (None, 5, 7, 2)),
    ):
        outputs = layer.compute_output_spec(
            {
                "images": images,
                "segmentation_masks": keras.KerasTensor(masks, "int32"),
                "labels": keras.KerasTensor((None,), "int32"),
            }
        )
        assert outputs["images"].shape == (None, 5, 7, 3)
        assert outputs["images"].dtype == "uint8"
        assert outputs["segmentation_masks"].shape == expected
        assert outputs["segmentation_masks"].dtype == "int32"
        assert outputs["labels"].shape == (None,)
    first = RandomCrop(5, 7, data_format="channels_first", seed=0)
    assert first.compute_output_shape((None, 3, 9, 12)) == (None, 3, 5, 7)
    pixels = numbered(6, 9, 12)
    same = RandomCrop(5, 7, data_format="channels_last", seed=0)
    np.testing.assert_array_equal(
        np.moveaxis(numpy(first(np.moveaxis(pixels, -1, 1))), 1, -1),
        numpy(same(pixels)),
    )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("height", 0),
        ("width", 2.5),
        ("width", None),
        ("pad_if_needed", 1),
        ("fill_mode", "mirror"),
        ("fill_value", None),
        ("bounding_box_format", "xyhw"),
    ],
)
def test_refuses_bad_arguments(name, value):
    arguments = {"height": 5, "width": 7, name: value}
    with pytest.raises(ValueError, match=f"`{name}` of RandomCrop must be"):
        RandomCrop(**arguments)

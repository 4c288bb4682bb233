"""What RandAugment, TrivialAugmentWide and AutoAugment have in common."""

import keras
import numpy as np
import pytest
from pillow_operations import operated

from keras_regopt.augmentation import (
    AutoAugment,
    RandAugment,
    TrivialAugmentWide,
)

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (12, 20, 24, 3)).astype("uint8")
SHAPE = IMAGES.shape
POLICIES = [
    RandAugment(magnitude=17, seed=1),
    TrivialAugmentWide(seed=1),
    AutoAugment("imagenet", seed=1),
]


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


def drawn(layer, shape=SHAPE):
    """What `sample` drew: operations by their names, and amounts."""
    parameters = layer.sample(shape, layer._seeds.current())
    numbers = to_numpy(parameters["operation"])
    return np.array(layer._names)[numbers], to_numpy(parameters["amount"])


@pytest.mark.any_case
@pytest.mark.parametrize("layer", POLICIES, ids=lambda x: type(x).__name__)
def test_images_become_what_pillow_makes_of_the_same_draws(layer):
    again = type(layer).from_config(layer.get_config())
    result = to_numpy(layer(IMAGES, training=True))
    names, amounts = drawn(again)
    fill = layer.usual_fill
    for i, image in enumerate(IMAGES):
        errors = 0
        for name, amount in zip(names[i], amounts[i], strict=True):
            image = operated(image, name, float(amount), fill)
            # One level off may be more after the next operation.
            errors = 1 + errors * 12
        off = np.abs(result[i].astype(int) - image).max(axis=-1) > errors
        assert off.mean() <= 0.04, names[i]


@pytest.mark.any_backend
@pytest.mark.parametrize("layer", POLICIES, ids=lambda x: type(x).__name__)
def test_images_draw_different_operations(layer):
    names, _ = drawn(layer, (400, 20, 24, 3))
    drawn_names = set(names.ravel())
    usual = set(layer.ranges)
    if isinstance(layer, AutoAugment):
        # Its policy for photographs moves none and brightens none.
        usual -= {"shear_y", "translate_x", "translate_y", "brightness"}
    assert drawn_names == usual


def moving(name, magnitude, **options):
    return RandAugment(
        operations=[name], magnitude=magnitude, seed=0, **options
    )


@pytest.mark.any_backend
def test_boxes_masks_and_keypoints_move_as_often_as_images():
    images = np.zeros((8, 40, 40, 1), "uint8")
    images[:, 15:20, 15:25] = 255
    data = {
        "images": images,
        "segmentation_masks": images[..., 0].astype("int32"),
        "bounding_boxes": {
            "boxes": np.tile([[[15.0, 15.0, 25.0, 20.0]]], (8, 1, 1)),
            "labels": np.ones((8, 1)),
        },
        "keypoints": np.tile([[[15.0, 15.0]]], (8, 1, 1)),
    }
    options = {"bounding_box_format": "xyxy", "fill_value": 0}
    layer = moving("translate_x", 9, num_ops=2, **options)
    result = keras.tree.map_structure(to_numpy, layer(data))
    shifts = set()
    for i in range(8):
        image = result["images"][i, ..., 0]
        assert np.array_equal(image, result["segmentation_masks"][i])
        rows, columns = np.nonzero(image)
        box = result["bounding_boxes"]["boxes"][i, 0]
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(box - found).max() < 1
        point = result["keypoints"][i, 0]
        assert np.allclose(point, box[:2], atol=1e-4)
        shifts.add(round(float(box[0]) - 15))
    # Twice 5.4 pixels, to the same or to different sides.
    assert shifts == {-11, 0, 11}


@pytest.mark.any_backend
def test_what_has_left_the_image_does_not_come_back():
    images = np.zeros((8, 20, 20, 1), "uint8")
    boxes = np.tile([[[0.0, 4.0, 4.0, 8.0]]], (8, 1, 1))
    data = {"images": images, "bounding_boxes": {"boxes": boxes}}
    layer = moving("translate_x", 30, num_ops=2, bounding_box_format="xyxy")
    boxes = to_numpy(layer(data)["bounding_boxes"]["boxes"])[:, 0]
    # Left comes first for half of them. Right may be followed by left or by
    # right, after which a part can still be seen.
    boxes = boxes.astype("float64").round(3)
    seen = {tuple(box.tolist()) for box in boxes}
    assert seen == {(0, 0, 0, 0), (0, 4, 4, 8), (18.127, 4, 20, 8)}


@pytest.mark.any_backend
def test_values_of_any_range_are_treated_as_levels():
    bytes_ = to_numpy(RandAugment(seed=3)(IMAGES))
    unit = RandAugment(seed=3, value_range=(-1, 1))
    floats = to_numpy(unit(IMAGES / 127.5 - 1.0))
    # Without the rounding to bytes after each operation.
    off = np.abs((floats + 1) * 127.5 - bytes_) > 4
    assert off.mean() < 0.02


@pytest.mark.any_backend
def test_the_magnitude_is_linear_and_may_vary():
    for magnitude in (0, 9, 30):
        _, amounts = drawn(moving("rotate", magnitude))
        assert np.allclose(np.abs(amounts), magnitude)
        assert magnitude == 0 or len(np.unique(np.sign(amounts))) == 2
    layer = moving("solarize", 15, magnitude_std=3.0)
    _, amounts = drawn(layer, (500, 20, 24, 3))
    assert abs(amounts.mean() - 127.5) < 3
    assert abs(amounts.std() - 25.5) < 3
    layer = moving("rotate", 30, magnitude_std=9.0)
    _, amounts = drawn(layer, (500, 20, 24, 3))
    assert np.abs(amounts).max() <= 30.001


@pytest.mark.any_backend
def test_translations_are_fractions_or_pixels():
    _, amounts = drawn(moving("translate_y", 30))
    assert np.allclose(np.abs(amounts), 20 * 150 / 331)
    layer = TrivialAugmentWide(operations=["translate_y"], seed=0)
    _, amounts = drawn(layer, (400, 20, 24, 3))
    found = np.unique(np.abs(amounts).round(3))
    assert np.allclose(found, np.linspace(0, 32, 31), atol=1e-3)


@pytest.mark.any_backend
def test_refuses_operations_that_it_does_not_know():
    with pytest.raises(ValueError, match="at least one of 'identity'"):
        RandAugment(operations=["flip"])
    with pytest.raises(ValueError, match="`operations` of TrivialAugmentWide"):
        TrivialAugmentWide(operations=[])

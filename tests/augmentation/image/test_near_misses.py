"""What was meant to change with the images, and does not, is told of."""

import warnings

import keras
import numpy as np
import pytest
from augmentations import every_layer

from keras_regopt.augmentation import (
    Compose,
    CutMix,
    MixUp,
    Mosaic,
    RandomAffine,
    RandomColor,
    RandomMix,
)

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 12, 12, 3))
MASKS = IMAGES[..., :1]
BOXES = np.array([[[2.0, 2, 9, 9]]] * 2)
IDS = np.arange(2)

pytestmark = pytest.mark.any_backend


def told(layer, inputs, training=True):
    """What two calls warn of."""
    return all_told(
        lambda: [layer(inputs, training=training) for _ in range(2)]
    )


def all_told(function):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        # Of torch, of an index that Keras hands it before 3.14.
        warnings.filterwarnings("ignore", ".*non-tuple sequence")
        function()
    return [str(w.message) for w in warned if w.category is UserWarning]


NEAR = [
    *(
        (key, MASKS, "segmentation_masks")
        for key in (
            "mask",
            "masks",
            "Mask",
            "gt_mask",
            "instance_masks",
            "segmentation",
            "segmentation_mask",
            "segmentaton_masks",
            "segmentation_map",
        )
    ),
    ("mask", MASKS[..., 0], "segmentation_masks"),
    *(
        (key, BOXES, "bounding_boxes")
        for key in (
            "bboxes",
            "boxes",
            "bbox",
            "gt_boxes",
            "bounding_box",
            "boundingBoxes",
        )
    ),
    ("boxes", {"boxes": BOXES, "labels": IDS[:, None]}, "bounding_boxes"),
    ("keypoint", BOXES[..., :2], "keypoints"),
    ("key_points", BOXES[..., :3], "keypoints"),
    ("landmarks", BOXES[..., :2], "keypoints"),
]


@pytest.mark.parametrize(("key", "value", "name"), NEAR)
@pytest.mark.parametrize("contained", [False, True])
def test_a_key_that_is_nearly_one_of_ours_is_named_once(
    key, value, name, contained
):
    layer = RandomAffine(bounding_box_format="xyxy")
    layer = Compose([layer]) if contained else layer
    (message,) = told(layer, {"images": IMAGES, key: value})
    assert f"The key {key!r} in the inputs of" in message
    assert f"must be {name!r}" in message


@pytest.mark.parametrize(
    "key", ["label", "class", "classes", "target", "Labels", "lables", "y"]
)
@pytest.mark.parametrize("cls", [MixUp, CutMix, Mosaic])
def test_labels_of_another_name_are_named_where_they_should_be_mixed(cls, key):
    (message,) = told(cls(), {"images": IMAGES, key: IDS})
    assert f"The key {key!r}" in message
    assert "must be 'labels'" in message
    assert not told(RandomAffine(), {"images": IMAGES, key: IDS})


def test_labels_of_another_name_are_named_within_boxes():
    layer = RandomAffine(bounding_box_format="xyxy")
    boxes = {"boxes": BOXES, "class_ids": IDS[:, None], "scores": IDS[:, None]}
    (message,) = told(layer, {"images": IMAGES, "bounding_boxes": boxes})
    assert "'class_ids' of the bounding boxes" in message


@pytest.mark.parametrize(
    "others",
    [
        {"segmentation_masks": MASKS, "labels": IDS},
        {"id": IDS, "names": ["a", "b"], "nested": {"mask": MASKS}},
        # A mask of words, the number of boxes, and nothing.
        {"attention_mask": IDS[:, None], "box_count": IDS, "mask": None},
    ],
)
def test_other_keys_pass_without_a_word(others):
    assert not told(RandomAffine(), {"images": IMAGES, **others})


@pytest.mark.parametrize("key", ["depth", "seg", "target", "original"])
def test_a_value_for_each_pixel_that_does_not_move_is_told_of(key):
    value = np.ones((*IMAGES.shape[:3], 1), "float32")
    for layer, images, own in (
        (RandomAffine(), IMAGES, value),
        (RandomAffine(), IMAGES, value[..., 0]),
        (RandomAffine(), IMAGES[0], value[0]),
        (
            RandomAffine(data_format="channels_first"),
            np.moveaxis(IMAGES, -1, 1),
            np.moveaxis(value, -1, 1),
        ),
    ):
        (message,) = told(layer, {"images": images, key: own})
        assert f"The key {key!r} in the inputs of RandomAffine has" in message
        assert f"`additional_targets`, as in {{{key!r}: 'images'}}" in message
    moving = RandomAffine(additional_targets=[key])
    assert not told(moving, {"images": IMAGES, key: value.repeat(3, -1)})
    assert not told(RandomColor(), {"images": IMAGES, key: value})


@pytest.mark.parametrize("key", ["mask", "boxes", "keypoint"])
def test_a_layer_that_moves_nothing_has_nothing_to_say(key):
    value = MASKS if key == "mask" else BOXES[..., :3]
    assert not told(RandomColor(), {"images": IMAGES, key: value})
    assert not told(RandomAffine(), {"images": IMAGES, key: value}, False)


@pytest.mark.parametrize("make", every_layer())
def test_only_a_layer_that_mixes_misses_the_labels_of_bare_images(make):
    layer = make()
    messages = told(layer, IMAGES)
    assert len(messages) == layer.mixes
    for message in messages:
        assert type(layer).__name__ in message
        assert "{'images': x, 'labels': y}" in message
    assert not told(make(), {"images": IMAGES})
    assert not told(make(), IMAGES, training=False)


def test_bare_images_are_told_of_in_a_model_that_is_fitted():
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            Compose([MixUp()]),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    (message,) = all_told(
        lambda: model.fit(IMAGES, np.zeros((2, 1)), verbose=0, epochs=2)
    )
    assert "Compose mixes these images" in message


@pytest.mark.parametrize(
    "make", [CutMix, Mosaic, lambda: RandomMix([MixUp(), CutMix()])]
)
@pytest.mark.parametrize("masks", [MASKS, MASKS[..., 0]])
def test_masks_as_labels_are_not_averaged(make, masks):
    with pytest.raises(ValueError, match="the key 'segmentation_masks'"):
        make()({"images": IMAGES, "labels": masks}, training=True)


def test_mix_up_blends_masks_that_are_labels():
    layer = MixUp(alpha=1.0, seed=0)
    mixed = layer({"images": MASKS, "labels": MASKS}, training=True)
    images, labels = (
        keras.ops.convert_to_numpy(mixed[key]) for key in ("images", "labels")
    )
    np.testing.assert_allclose(labels, images, atol=1e-4)
    assert abs(labels - MASKS).max() > 1

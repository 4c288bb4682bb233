"""Boxes: none at all, reversed ones, lists of them, and their formats."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import (
    Apply,
    Choice,
    Compose,
    CutMix,
    MixUp,
    Mosaic,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomElastic,
    RandomPadCrop,
    RandomPerspective,
    RandomResizedCrop,
)
from keras_regopt.augmentation._map_dataset import parts_of

MAKERS = {
    "affine": RandomAffine,
    "perspective": RandomPerspective,
    "elastic": RandomElastic,
    "pad_crop": RandomPadCrop,
    "crop": lambda **kwargs: RandomCrop(12, 12, **kwargs),
    "resized_crop": lambda **kwargs: RandomResizedCrop(12, 12, **kwargs),
    "rand_augment": RandAugment,
    "compose": lambda **kwargs: Compose([RandomAffine(**kwargs)] * 2),
    "choice": lambda **kwargs: Choice([RandomAffine(**kwargs)] * 2),
    "apply": lambda **kwargs: Apply(RandomAffine(**kwargs)),
    "cut_mix": CutMix,
    "mix_up": MixUp,
    "mosaic": Mosaic,
}


def data_of(boxes, labels=None):
    boxes = np.asarray(boxes, "float32")
    if labels is None:
        labels = np.ones(boxes.shape[:-1], "int32")
    return {
        "images": np.zeros((len(boxes), 16, 24, 3), "uint8"),
        "bounding_boxes": {"boxes": boxes, "labels": labels},
    }


def shapes(result):
    return {k: tuple(v.shape) for k, v in result["bounding_boxes"].items()}


@pytest.mark.any_case
@pytest.mark.parametrize("name", MAKERS)
def test_images_without_boxes_get_none(name):
    layer = MAKERS[name](bounding_box_format="rel_xywh")
    data = data_of(np.zeros((2, 0, 4)))
    none = {"boxes": (2, 0, 4), "labels": (2, 0)}
    assert shapes(layer(data, training=True)) == none
    dataset = tf.data.Dataset.from_tensors(data)
    if name in ("affine", "elastic", "mosaic"):
        mapped = dataset.map(lambda x: layer(x, training=True))
        assert shapes(next(iter(mapped))) == none


def test_one_image_without_boxes_gets_none():
    data = {
        "images": np.zeros((16, 24, 3), "uint8"),
        "bounding_boxes": {
            "boxes": np.zeros((0, 4), "float32"),
            "labels": np.zeros((0,), "int32"),
        },
    }
    result = RandomAffine(bounding_box_format="xyxy")(data, training=True)
    assert shapes(result) == {"boxes": (0, 4), "labels": (0,)}


@pytest.mark.any_backend
def test_every_layer_takes_the_name_of_a_format_in_capitals():
    for make in MAKERS.values():
        layer = make(bounding_box_format="xyWH")
        for part in parts_of(layer):
            assert part.bounding_box_format == "xywh"


@pytest.mark.parametrize(
    ("box_format", "box"),
    [
        ("xyxy", (10, 8, 5, 6)),
        ("xyxy", (2, 8, 5, 6)),
        ("pascal_voc", (10, 8, 5, 6)),
        ("xywh", (10, 8, -5, 6)),
        ("yolo", (0.5, 0.5, 0.2, -0.2)),
    ],
)
@pytest.mark.any_backend
def test_boxes_with_reversed_edges_are_refused(box_format, box):
    for make in (RandomAffine, MAKERS["compose"]):
        with pytest.raises(ValueError, match="`bounding_box_format`"):
            make(bounding_box_format=box_format)(
                data_of([[box]]), training=True
            )


@pytest.mark.parametrize(
    ("box", "label"), [((0, 0, 0, 0), 1), ((-1,) * 4, 1), ((9, 8, 5, 6), -1)]
)
@pytest.mark.any_backend
def test_padding_is_not_taken_for_reversed_boxes(box, label):
    data = data_of([[box]], np.full((1, 1), label))
    for box_format in ("xyxy", "xywh"):
        layer = RandomAffine(bounding_box_format=box_format)
        after = layer(data, training=True)["bounding_boxes"]
        assert ops.convert_to_numpy(after["labels"]).tolist() == [[-1]]


@pytest.mark.any_backend
def test_a_first_batch_without_boxes_does_not_end_the_check():
    layer = RandomAffine(bounding_box_format="xyxy")
    layer(data_of(np.zeros((1, 0, 4))), training=True)
    with pytest.raises(ValueError, match="left edge before the right"):
        layer(data_of([[(10, 8, 5, 6)]]), training=True)


def told(function):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        function()
    return [str(w.message) for w in warned if w.category is UserWarning]


BAD = {"reversed": (10, 8, 5, 6), "beyond": (3, 3, 9, 19)}


@pytest.mark.any_backend
@pytest.mark.parametrize("box", BAD.values(), ids=BAD)
@pytest.mark.parametrize("make", [RandomAffine, MAKERS["compose"]])
def test_bad_boxes_after_the_first_batch_are_told_of_once(make, box):
    layer = make(bounding_box_format="xyxy")
    good, bad = data_of([[(2, 3, 8, 9)]]), data_of([[(2, 3, 8, 9), box]])
    assert not told(lambda: [layer(good, training=True) for _ in range(2)])
    message, *others = told(
        lambda: [layer(bad, training=True) for _ in range(2)]
    )
    assert "1 of the boxes" in message
    assert "`bounding_box_format`" in message
    # Each of the layers within has boxes of its own.
    assert len(others) < 2


@pytest.mark.any_backend
@pytest.mark.parametrize("box", BAD.values(), ids=BAD)
def test_bad_boxes_in_tf_data_are_told_of_once(box):
    good, bad = data_of([[(2, 3, 8, 9)] * 2]), data_of([[(0, 0, 0, 0), box]])
    for boxes, messages in ((good, 0), (bad, 1)):
        dataset = tf.data.Dataset.from_tensors(boxes).repeat(3)
        layer = RandomAffine(bounding_box_format="xyxy")
        mapped = dataset.map(layer)
        assert len(told(lambda mapped=mapped: list(mapped))) == messages


@pytest.mark.any_backend
def test_nested_lists_are_boxes_and_keypoints_too():
    data = data_of([[(2, 3, 8, 9), (1, 1, 5, 5)]])
    data["keypoints"] = np.ones((1, 2, 2), "float32")
    listed = {
        "images": data["images"],
        "bounding_boxes": {
            k: v.tolist() for k, v in data["bounding_boxes"].items()
        },
        "keypoints": data["keypoints"].tolist(),
    }
    one, other = (
        RandomAffine(bounding_box_format="xyxy", seed=1)(x, training=True)
        for x in (data, listed)
    )
    for key in ("boxes", "labels"):
        np.testing.assert_array_equal(
            *(
                ops.convert_to_numpy(x["bounding_boxes"][key])
                for x in (one, other)
            )
        )
    np.testing.assert_array_equal(
        *(ops.convert_to_numpy(x["keypoints"]) for x in (one, other))
    )


@pytest.mark.any_backend
def test_lists_of_unequal_lengths_are_refused():
    data = data_of(np.zeros((2, 1, 4)))
    data["bounding_boxes"]["boxes"] = [[(1, 1, 2, 2)], []]
    with pytest.raises(ValueError, match="each image needs as many"):
        RandomAffine(bounding_box_format="xyxy")(data, training=True)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("coco", "xywh"),
        ("pascal_voc", "xyxy"),
        ("yolo", "rel_center_xywh"),
        ("COCO", "xywh"),
    ],
)
@pytest.mark.any_backend
def test_boxes_go_by_the_names_of_the_data_sets(name, same):
    box = (0.5, 0.5, 0.2, 0.3) if name == "yolo" else (2, 3, 8, 9)
    data = data_of([[box]])
    for make in (RandomAffine, RandAugment):
        layers = [make(bounding_box_format=x, seed=1) for x in (name, same)]
        np.testing.assert_array_equal(
            *(
                ops.convert_to_numpy(
                    layer(data, training=True)["bounding_boxes"]["boxes"]
                )
                for layer in layers
            )
        )
        config = layers[0].get_config()
        assert config["bounding_box_format"] == name.lower()
        made = make.from_config(config)
        assert made.bounding_box_format == name.lower()

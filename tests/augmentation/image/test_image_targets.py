"""Boxes, keypoints and masks move with the pixels."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import RandomAffine, RandomPerspective

STILL = {"flip": None, "rotation": 0, "zoom": 0, "translation": 0}

# From left, top, right, bottom, height and width.
FORMATS = {
    "xyxy": lambda a, b, c, d, h, w: (a, b, c, d),
    "yxyx": lambda a, b, c, d, h, w: (b, a, d, c),
    "xywh": lambda a, b, c, d, h, w: (a, b, c - a, d - b),
    "center_xywh": lambda a, b, c, d, h, w: (
        (a + c) / 2,
        (b + d) / 2,
        c - a,
        d - b,
    ),
    "center_yxhw": lambda a, b, c, d, h, w: (
        (b + d) / 2,
        (a + c) / 2,
        d - b,
        c - a,
    ),
    "rel_xyxy": lambda a, b, c, d, h, w: (a / w, b / h, c / w, d / h),
    "rel_yxyx": lambda a, b, c, d, h, w: (b / h, a / w, d / h, c / w),
    "rel_xywh": lambda a, b, c, d, h, w: (
        a / w,
        b / h,
        (c - a) / w,
        (d - b) / h,
    ),
    "rel_center_xywh": lambda a, b, c, d, h, w: (
        (a + c) / 2 / w,
        (b + d) / 2 / h,
        (c - a) / w,
        (d - b) / h,
    ),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "layer",
    [
        RandomAffine(
            flip="both",
            rotation=0.5,
            zoom=0.2,
            translation=0.1,
            shear=0.2,
            fill_mode="constant",
            bounding_box_format="xyxy",
            seed=5,
        ),
        RandomPerspective(scale=0.4, bounding_box_format="xyxy", seed=5),
    ],
    ids=["affine", "perspective"],
)
def test_boxes_and_keypoints_go_where_the_pixels_go_in_all_formats(layer):
    height, width, batch = 60, 90, 6
    corners = np.array([[20, 12, 41, 30], [40, 30, 70, 51], [33, 20, 60, 25]])
    points = np.array([[25.5, 17.5], [60.5, 40.5], [44.5, 29.5]], "float32")
    # A channel for each box, and one for each keypoint.
    masks = np.zeros((batch, height, width, 6), "uint8")
    for i, (left, top, right, bottom) in enumerate(corners):
        masks[:, top:bottom, left:right, i] = 1
    for i, (x, y) in enumerate(points.astype(int)):
        masks[:, y - 2 : y + 3, x - 2 : x + 3, 3 + i] = 1
    for box_format, encode in FORMATS.items():
        boxes = [encode(*c, height, width) for c in corners.astype("float32")]
        # One program serves them all.
        layer.bounding_box_format = box_format
        result = layer(
            {
                "images": masks.astype("float32"),
                "segmentation_masks": masks,
                "keypoints": np.array([points] * batch),
                "bounding_boxes": {
                    "boxes": np.array([boxes] * batch, "float32"),
                    "labels": np.array([[3, 0, 9]] * batch),
                },
            }
        )
        moved = numpy(result["segmentation_masks"])
        assert set(np.unique(moved)) == {0, 1}
        # By the nearest pixel as by interpolation, but for the edges.
        assert (moved != (numpy(result["images"]) > 0.5)).mean() < 2e-3
        boxes = numpy(result["bounding_boxes"]["boxes"])
        # The size of a pixel in the units of the format.
        pixel = np.ones(4)
        if box_format.startswith("rel"):
            pixel = encode(0, 0, 1, 1, height, width)
            pixel = np.array([pixel[2], pixel[3]] * 2)
        for number, i in np.ndindex(batch, 3):
            rows, columns = np.nonzero(moved[number, ..., i])
            seen = (
                columns.min(),
                rows.min(),
                columns.max() + 1,
                rows.max() + 1,
            )
            difference = boxes[number, i] - encode(*seen, height, width)
            # A sharp corner may fall between the centers of pixels.
            np.testing.assert_array_less(np.abs(difference / pixel), 2)
            found = numpy(result["keypoints"])[number, i]
            if min(*found, width - found[0], height - found[1]) < 4:
                # Not all of the pixels around it are to be seen.
                continue
            rows, columns = np.nonzero(moved[number, ..., 3 + i])
            center = columns.mean() + 0.5, rows.mean() + 0.5
            np.testing.assert_allclose(found, center, atol=0.8)
        labels = numpy(result["bounding_boxes"]["labels"])
        assert (labels == [3, 0, 9]).all()


@pytest.mark.any_backend
def test_boxes_are_exact_under_flips():
    layer = RandomAffine(
        **{**STILL, "flip": "horizontal"}, bounding_box_format="xyxy", seed=0
    )
    boxes = np.array([[[1, 2, 4, 6]]] * 8, "float32")
    outputs = layer(
        {
            "images": np.zeros((8, 10, 20, 1), "float32"),
            "bounding_boxes": {"boxes": boxes, "labels": np.ones((8, 1))},
        }
    )
    found = {
        tuple(box)
        for box in numpy(outputs["bounding_boxes"]["boxes"])[:, 0].tolist()
    }
    assert found == {(1, 2, 4, 6), (16, 2, 19, 6)}


@pytest.mark.any_backend
def test_boxes_are_clipped_and_those_that_vanish_are_marked():
    layer = RandomAffine(
        **{**STILL, "translation": (0.5, 0.5)}, bounding_box_format="xywh"
    )
    boxes = [[0, 0, 2, 3], [4, 2, 6, 4], [12, 2, 3, 3], [0, 0, 0, 0]]
    outputs = layer(
        {
            "images": np.zeros((10, 20, 1), "float32"),
            "bounding_boxes": {
                "boxes": np.array(boxes, "float32"),
                "labels": np.array([0, 1, 2, -1]),
            },
        }
    )["bounding_boxes"]
    expected = [[10, 5, 2, 3], [14, 7, 6, 3], [0, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(numpy(outputs["boxes"]), expected, atol=1e-5)
    assert numpy(outputs["labels"]).tolist() == [0, 1, -1, -1]


def shifted(boxes, labels=None, **options):
    """What is left of boxes that move right by half of 20 columns."""
    layer = RandomAffine(
        **{**STILL, "translation": (0.5, 0.5)},
        bounding_box_format="xywh",
        **options,
    )
    bounding_boxes = {"boxes": np.array(boxes, "float32")}
    if labels is not None:
        bounding_boxes["labels"] = np.array(labels)
    data = {"images": np.zeros((10, 20, 1)), "bounding_boxes": bounding_boxes}
    return {k: numpy(v) for k, v in layer(data)["bounding_boxes"].items()}


@pytest.mark.any_backend
def test_boxes_too_little_of_which_is_left_are_marked():
    # 4 of 4, 3 of 4, 2 of 4 and 1 of 4 columns.
    boxes = [[6, 0, 4, 2], [7, 0, 4, 2], [8, 0, 4, 2], [9, 0, 4, 2]]
    for share, left in ((0.0, 4), (0.5, 3), (0.6, 2), (1.0, 1)):
        found = shifted(boxes, [7, 7, 7, 7], min_visibility=share)
        assert found["labels"].tolist() == [7] * left + [-1] * (4 - left)
        assert found["boxes"].any(axis=-1).tolist() == [
            label == 7 for label in found["labels"]
        ]


@pytest.mark.any_backend
def test_padding_stays_padding_and_keras_cv_is_understood():
    # By the label, by the area, and by KerasCV's filler.
    boxes = [[0, 0, 4, 2], [1, 1, 0, 3], [-1, -1, -1, -1], [1, 0, 4, 2]]
    found = shifted(boxes, [-1, 4, -1, 5])
    assert found["labels"].tolist() == [-1, -1, -1, 5]
    assert not found["boxes"][:3].any()
    layer = RandomAffine(bounding_box_format="center_xyWH")
    assert layer.bounding_box_format == "center_xywh"
    one_hot = [[0, 1], [-1, -1], [-1, -1], [1, 0]]
    assert shifted(boxes, one_hot)["labels"].tolist()[1] == [-1, -1]
    assert len(shifted(boxes)["boxes"]) == 4


@pytest.mark.any_backend
def test_keypoints_that_leave_the_image_are_marked_if_they_can_be():
    layer = RandomAffine(**{**STILL, "translation": (0.5, 0.5)})
    points = np.array([[2, 3, 2], [11, 3, 2], [2, 6, 1], [2, 3, 0]], "float32")
    data = {"images": np.zeros((10, 20, 1)), "keypoints": points}
    expected = [[12, 8, 2], [21, 8, 0], [12, 11, 0], [12, 8, 0]]
    found = numpy(layer(data)["keypoints"])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    data["keypoints"] = points[:, :2].astype("int32")
    found = numpy(layer(data)["keypoints"])
    np.testing.assert_allclose(found, np.array(expected)[:, :2], atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize("place", ["tf.data", "eager"])
def test_ragged_sets_stay_ragged_and_lose_what_is_gone(place):
    boxes = [[[1.0, 1, 3, 3], [12, 7, 4, 2]], [], [[0, 0, 5, 5]]]
    data = {
        "images": np.zeros((3, 10, 16, 3), "uint8"),
        "bounding_boxes": {
            "boxes": tf.ragged.constant(boxes, ragged_rank=1, inner_shape=(4,)),
            "labels": tf.ragged.constant([[3, 5], [], [1]]),
            "score": tf.ragged.constant([[0.25, 0.5], [], [0.125]]),
        },
        "keypoints": tf.ragged.constant(
            [[[1.0, 1]], [], [[2, 2], [9, 9]]], ragged_rank=1, inner_shape=(2,)
        ),
    }
    layer = RandomAffine(
        **{**STILL, "translation": (0.5, 0.5)}, bounding_box_format="xywh"
    )
    if place == "eager":
        result = layer(data)
    else:
        dataset = tf.data.Dataset.from_tensors(data)
        result = next(iter(dataset.map(layer)))
    found = result["bounding_boxes"]
    assert found["labels"].to_list() == [[3], [], [1]]
    assert found["score"].to_list() == [[0.25], [], [0.125]]
    expected = [[[9, 6, 3, 3]], [], [[8, 5, 5, 5]]]
    assert found["boxes"].to_list() == expected
    points = [[[9, 6]], [], [[10, 7], [17, 14]]]
    assert result["keypoints"].to_list() == points
    assert data["bounding_boxes"]["labels"].to_list() == [[3, 5], [], [1]]


@pytest.mark.any_backend
def test_boxes_without_a_format_are_refused():
    data = {
        "images": np.zeros((4, 4, 1), "float32"),
        "bounding_boxes": {"boxes": np.zeros((1, 4)), "labels": np.zeros(1)},
    }
    with pytest.raises(ValueError, match="`bounding_box_format`"):
        RandomAffine()(data)


BOXES = np.ones((2, 3, 4), "float32")


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("bounding_boxes", BOXES, "must be a dict of 'boxes' and 'labels'"),
        ("bounding_boxes", {"labels": BOXES}, r"keys=\['labels'\]"),
        ("bounding_boxes", {"boxes": BOXES[0]}, r"\(batch, boxes, 4\)"),
        ("bounding_boxes", {"boxes": BOXES[..., :3]}, r"shape=\(2, 3, 3\)"),
        ("bounding_boxes", {"boxes": BOXES[:1]}, "must be for 2 images"),
        (
            "bounding_boxes",
            {"boxes": BOXES, "labels": np.ones((2, 4))},
            "`labels` of the `bounding_boxes` in the inputs of RandomAffine",
        ),
        (
            "bounding_boxes",
            {"boxes": np.array([[[0, 0, 9.5, 5.0]]] * 2)},
            r"width 8. Received: \[0.0, 0.0, 9.5, 5.0\] in the format",
        ),
        ("segmentation_masks", np.ones((2, 8, 6)), r"\(6, 8\)"),
        ("segmentation_masks", np.ones((2, 6, 9, 1)), r"\(6, 8\)"),
        ("segmentation_masks", np.ones((6, 8)), "of rank 3 or"),
        ("segmentation_masks", np.ones((3, 6, 8)), "must be for 2 images"),
        ("keypoints", np.ones((2, 2)), r"\(batch, points, 2\)"),
        ("keypoints", np.ones((2, 5, 4)), r"shape=\(2, 5, 4\)"),
    ],
)
def test_what_cannot_belong_to_the_images_is_refused(key, value, message):
    layer = RandomAffine(bounding_box_format="xywh")
    images = np.zeros((2, 6, 8, 1), "float32")
    with pytest.raises(ValueError, match=f"(?s){message}"):
        layer({"images": images, key: value})


@pytest.mark.any_backend
def test_bad_boxes_are_refused_in_the_first_call_only():
    layer = RandomAffine(**STILL, bounding_box_format="rel_xyxy")
    box = np.array([[0.25, 0.25, 0.5, 0.5]], "float32")
    data = {"images": np.zeros((8, 8, 1)), "bounding_boxes": {"boxes": box}}
    layer(data)
    data["bounding_boxes"] = {"boxes": box + 1}
    with pytest.warns(UserWarning, match="beyond their image"):
        layer(data)
    assert not numpy(layer(data)["bounding_boxes"]["boxes"]).any()


@pytest.mark.any_backend
def test_masks_keep_their_classes_and_their_dtype():
    masks = np.random.default_rng(0).choice([0, 7, 200], (3, 9, 9))
    layer = RandomAffine(
        rotation=0.5, fill_mode="constant", fill_value=99.0, seed=0
    )
    for dtype in ("uint8", "int32", "float32"):
        for shaped in (masks, masks[..., None]):
            data = {
                "images": np.zeros((3, 9, 9, 1), "float32"),
                "segmentation_masks": shaped.astype(dtype),
            }
            moved = numpy(layer(data)["segmentation_masks"])
            assert moved.dtype == dtype
            assert moved.shape == shaped.shape
            # What lies beyond the edge is background, not a color.
            assert set(np.unique(moved)) == {0, 7, 200}

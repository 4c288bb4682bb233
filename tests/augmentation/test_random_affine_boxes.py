"""Boxes and masks move with the pixels."""

import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomAffine

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


@pytest.mark.parametrize("box_format", list(FORMATS))
def test_boxes_go_where_the_pixels_go(box_format):
    height, width = 60, 90
    corners = np.array([[20, 12, 41, 30], [40, 30, 70, 51], [33, 20, 60, 25]])
    # One mask for each box, all under the same draw.
    count, seeds = len(corners), 12
    masks = np.zeros((1, height, width, count), "uint8")
    for i, (left, top, right, bottom) in enumerate(corners):
        masks[0, top:bottom, left:right, i] = 1
    encode = FORMATS[box_format]
    # The size of a pixel in the units of the format.
    pixel = np.ones(4)
    if box_format.startswith("rel"):
        pixel = encode(0, 0, 1, 1, height, width)
        pixel = np.array([pixel[2], pixel[3]] * 2)
    boxes = [encode(*c, height, width) for c in corners.astype("float32")]
    layer = RandomAffine(
        flip="both",
        rotation=0.5,
        zoom=0.2,
        translation=0.1,
        shear=0.2,
        fill_mode="constant",
        bounding_box_format=box_format,
        seed=5,
    )
    result = layer(
        {
            "images": np.repeat(masks, seeds, 0).astype("float32"),
            "segmentation_masks": np.repeat(masks, seeds, 0),
            "bounding_boxes": {
                "boxes": np.array([boxes] * seeds, "float32"),
                "labels": np.array([[3, 0, 9]] * seeds),
            },
        }
    )
    moved = numpy(result["segmentation_masks"])
    boxes = numpy(result["bounding_boxes"]["boxes"])
    labels = numpy(result["bounding_boxes"]["labels"])
    assert set(np.unique(moved)) == {0, 1}
    for number in range(seeds):
        for i in range(count):
            rows, columns = np.nonzero(moved[number, ..., i])
            assert labels[number, i] == [3, 0, 9][i]
            seen = (
                columns.min(),
                rows.min(),
                columns.max() + 1,
                rows.max() + 1,
            )
            difference = boxes[number, i] - encode(*seen, height, width)
            # A sharp corner may fall between the centers of pixels.
            np.testing.assert_array_less(np.abs(difference / pixel), 1.6)


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


def test_boxes_without_a_format_are_refused():
    data = {
        "images": np.zeros((4, 4, 1), "float32"),
        "bounding_boxes": {"boxes": np.zeros((1, 4)), "labels": np.zeros(1)},
    }
    with pytest.raises(ValueError, match="`bounding_box_format`"):
        RandomAffine()(data)


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

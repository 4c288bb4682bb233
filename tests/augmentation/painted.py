"""Boxes and points painted into images, augmented, and found again."""

import numpy as np
from keras import ops

HEIGHT, WIDTH = 60, 90

# Left, top, right and bottom edge; two of them in the corners.
BOXES = np.array(
    [
        [20, 12, 41, 30],
        [40, 30, 70, 51],
        [0, 0, 12, 8],
        [76, 50, 90, 60],
        [33, 20, 60, 25],
    ]
)
POINTS = np.array([[30.5, 20.5], [62.5, 40.5], [5.5, 4.5], [80.5, 56.5]])

# From left, top, right, bottom, height and width,
# and the way back.
FORMATS = {
    "xyxy": (
        lambda a, b, c, d, h, w: (a, b, c, d),
        lambda a, b, c, d, h, w: (a, b, c, d),
    ),
    "xywh": (
        lambda a, b, c, d, h, w: (a, b, c - a, d - b),
        lambda x, y, u, v, h, w: (x, y, x + u, y + v),
    ),
    "center_yxhw": (
        lambda a, b, c, d, h, w: ((b + d) / 2, (a + c) / 2, d - b, c - a),
        lambda y, x, v, u, h, w: (x - u / 2, y - v / 2, x + u / 2, y + v / 2),
    ),
    "rel_yxyx": (
        lambda a, b, c, d, h, w: (b / h, a / w, d / h, c / w),
        lambda y, x, v, u, h, w: (x * w, y * h, u * w, v * h),
    ),
}


def require_that_all_follow(layer, images=8, tolerance=1e-3):
    """Requires that boxes, keypoints and masks go where the pixels go.

    Args:
        layer: A layer whose `fill_mode` is `"constant"` and whose
            `bounding_box_format` is one of `FORMATS`.
        images: How many images to look at.
        tolerance: By how many pixels boxes and points may be beside.
    """
    encode, decode = FORMATS[layer.bounding_box_format]
    painting, boxes = _painting(), BOXES.astype("float32")
    outputs = layer(
        {
            "images": np.repeat(255.0 * painting, images, 0),
            "segmentation_masks": np.repeat(
                painting.astype("uint8"), images, 0
            ),
            "bounding_boxes": {
                "boxes": np.array(
                    [[encode(*b, HEIGHT, WIDTH) for b in boxes]] * images,
                    "float32",
                ),
                "labels": np.array([np.arange(len(BOXES))] * images),
            },
            "keypoints": np.array([POINTS] * images, "float32"),
        },
        training=True,
    )
    pixels = ops.convert_to_numpy(outputs["images"])
    masks = ops.convert_to_numpy(outputs["segmentation_masks"])
    told = ops.convert_to_numpy(outputs["bounding_boxes"]["boxes"])
    labels = ops.convert_to_numpy(outputs["bounding_boxes"]["labels"])
    points = ops.convert_to_numpy(outputs["keypoints"])
    assert masks.dtype == "uint8"
    height, width = pixels.shape[1:3]
    for n in range(images):
        for i, box in enumerate(told[n]):
            seen = _box_in(pixels[n, ..., i] > 127)
            by_mask = _box_in(masks[n, ..., i] > 0)
            if labels[n, i] == -1:
                assert (box == 0).all()
                assert seen is None or _thickness(seen) <= tolerance
                continue
            assert labels[n, i] == i
            if seen is None or by_mask is None:
                # So thin that it touches the center of no pixel.
                assert _thickness(decode(*box, height, width)) <= 1 + tolerance
                continue
            box = np.array(decode(*box, height, width))
            for found in (seen, by_mask):
                outside = (box - found) * (1, 1, -1, -1)
                assert outside.max() <= tolerance
                if tolerance > 1 and _touches_edge(found, height, width):
                    # What made the box larger may be beyond the edge.
                    continue
                assert np.abs(outside).max() <= tolerance
        for i, point in enumerate(points[n]):
            spot = pixels[n, ..., len(BOXES) + i]
            at_edge = np.minimum(point, (width, height) - point) < 6
            if at_edge.any():
                continue
            rows, columns = np.nonzero(spot > 127)
            seen = columns.mean() + 0.5, rows.mean() + 0.5
            assert np.abs(point - seen).max() <= tolerance


def _painting():
    """A channel for each box and each point."""
    painting = np.zeros((1, HEIGHT, WIDTH, len(BOXES) + len(POINTS)), "float32")
    for i, (left, top, right, bottom) in enumerate(BOXES):
        painting[0, top:bottom, left:right, i] = 1
    for i, (x, y) in enumerate(POINTS.astype(int), start=len(BOXES)):
        painting[0, y - 1 : y + 2, x - 1 : x + 2, i] = 1
    return painting


def _box_in(seen):
    rows, columns = np.nonzero(seen)
    if not len(rows):
        return None
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def _touches_edge(box, height, width):
    left, top, right, bottom = box
    return left == 0 or top == 0 or right == width or bottom == height


def _thickness(box):
    left, top, right, bottom = box
    return min(right - left, bottom - top)


def unknown_sizes(images):
    """A dataset of images whose height and width TensorFlow does not know."""
    import tensorflow as tf

    return tf.data.Dataset.from_generator(
        lambda: images,
        output_signature=tf.TensorSpec(
            (None, None, images[0].shape[-1]), images[0].dtype
        ),
    )

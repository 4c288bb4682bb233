import math

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops

from keras_regopt.augmentation import CutMix
from keras_regopt.augmentation.image.functional._boxes import ALIASES, FORMATS


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def box_by_the_paper(share, across, down, height, width):
    """The box of the authors' code, from numbers from 0 to 1 for the draws.

    Its width is `int(width * sqrt(1 - share))`, its center a whole number.
    """
    cut_width = int(width * math.sqrt(1 - share))
    cut_height = int(height * math.sqrt(1 - share))
    x, y = int(across * width), int(down * height)
    return (
        max(x - cut_width // 2, 0),
        max(y - cut_height // 2, 0),
        min(x + cut_width // 2, width),
        min(y + cut_height // 2, height),
    )


def fixed(layer, shape, seed):
    """The layer with certain parameters, and these as arrays."""
    parameters = layer.sample(shape, seed=seed)
    layer.sample = lambda shape, seed: parameters
    return layer, {k: numpy(v) for k, v in parameters.items()}


@pytest.mark.any_case
@pytest.mark.parametrize("alpha", [1.0, 0.4])
@pytest.mark.parametrize(
    ("dtype", "channels"), [("float32", 3), ("uint8", 1), ("uint8", 4)]
)
def test_follows_the_paper_on_the_same_draws(alpha, dtype, channels):
    shape = (40, 9, 15, channels)
    images = np.random.default_rng(0).uniform(0, 255, shape).astype(dtype)
    layer, parameters = fixed(CutMix(alpha=alpha), shape, seed=4)
    found = numpy(layer(images))
    assert found.dtype == dtype
    _, quantiles, across, down = map(numpy, layer.uniforms(4, 40, seed=4))
    shares = scipy.stats.beta.ppf(quantiles, alpha, alpha)
    covered = []
    for i in range(40):
        left, top, right, bottom = box_by_the_paper(
            shares[i], across[i], down[i], 9, 15
        )
        expected = images[i].copy()
        partner = images[parameters["sources"][i, 1]]
        expected[top:bottom, left:right] = partner[top:bottom, left:right]
        np.testing.assert_array_equal(found[i], expected)
        covered.append((right - left) * (bottom - top) / (9 * 15))
    np.testing.assert_allclose(parameters["weights"][:, 1], covered, atol=1e-6)
    np.testing.assert_allclose(parameters["weights"].sum(1), 1, atol=1e-6)
    assert len(set(covered)) > 15


@pytest.mark.any_backend
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_masks_are_cut_as_images_are(channels, dtype):
    images = np.random.default_rng(0).integers(0, 200, (6, 7, 8, 1))
    masks = np.broadcast_to(images, (6, 7, 8, *(channels or (1,))))
    masks = masks.reshape(6, 7, 8, *channels).astype(dtype)
    data = {"images": images.astype("float32"), "segmentation_masks": masks}
    outputs = CutMix(seed=0)(data)
    found = numpy(outputs["segmentation_masks"])
    assert found.dtype == dtype
    assert found.shape == masks.shape
    cut = numpy(outputs["images"])
    if channels:
        np.testing.assert_array_equal(found, np.broadcast_to(cut, found.shape))
    else:
        np.testing.assert_array_equal(found, cut[..., 0])


def painted_boxes(batch, count, height, width):
    """Random boxes, and a mask for each that shows where it is."""
    random = np.random.default_rng(0)
    corners = np.sort(random.integers(0, 9, (batch, count, 2, 2)), axis=2)
    scale = np.array([width, height]) // 8
    boxes = np.concatenate([corners[:, :, 0], corners[:, :, 1] + 1], axis=-1)
    boxes = np.minimum(boxes * np.tile(scale, 2), np.tile([width, height], 2))
    boxes[0, 0] = 0
    masks = np.zeros((batch, height, width, count), "uint8")
    for i in range(batch):
        for j, (left, top, right, bottom) in enumerate(boxes[i]):
            masks[i, top:bottom, left:right, j] = 1
    return boxes.astype("float32"), masks


def seen_box(mask):
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("box_format", "min_visibility"),
    [*((box_format, 0.0) for box_format in FORMATS), ("xyxy", 0.5)],
)
def test_boxes_are_around_what_is_seen_of_them(box_format, min_visibility):
    batch, count, height, width = 60, 3, 16, 24
    boxes, masks = painted_boxes(batch, count, height, width)
    layer = CutMix(
        bounding_box_format=box_format, min_visibility=min_visibility
    )
    layer, parameters = fixed(layer, masks.shape, seed=0)
    convert = keras.utils.bounding_boxes.convert_format
    size = {"height": height, "width": width}
    keras_format = ALIASES.get(box_format, box_format)
    given = numpy(convert(boxes, "xyxy", keras_format, **size))
    labels = np.arange(batch * count).reshape(batch, count)
    labels[0, 0] = -1
    found = layer(
        {
            "images": masks,
            "bounding_boxes": {"boxes": given, "labels": labels},
        }
    )["bounding_boxes"]
    found_boxes = numpy(found["boxes"])
    if keras_format == "rel_center_xywh":
        # Keras before 3.15 takes the height for the width.
        found_boxes = found_boxes * np.array([width, height] * 2, "float32")
        keras_format = "center_xywh"
    found_boxes = numpy(convert(found_boxes, keras_format, "xyxy", **size))
    found_labels = numpy(found["labels"])
    pasted = np.zeros(masks.shape[:3], bool)
    for i, box in enumerate(parameters["box"].astype(int)):
        pasted[i, box[1] : box[3], box[0] : box[2]] = True
    dropped = 0
    for i, sources in enumerate(parameters["sources"]):
        expected = []
        for source, shown in zip(sources, (~pasted[i], pasted[i]), strict=True):
            for j in range(count):
                whole = masks[source, ..., j]
                seen = whole * shown
                if seen.sum() > max(min_visibility * whole.sum() - 1e-3, 0):
                    expected.append((labels[source, j], *seen_box(seen)))
        padding = [(-1, 0, 0, 0, 0)] * (2 * count - len(expected))
        dropped += len(padding)
        got = np.concatenate([found_labels[i][:, None], found_boxes[i]], axis=1)
        np.testing.assert_allclose(got, expected + padding, atol=1e-4)
    assert batch < dropped < 5 * batch

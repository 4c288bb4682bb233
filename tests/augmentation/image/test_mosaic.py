import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import Mosaic


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def fixed(layer, shape, seed):
    """The layer with certain parameters, and these as arrays."""
    parameters = layer.sample(shape, seed=seed)
    layer.sample = lambda shape, seed: parameters
    return layer, {k: numpy(v) for k, v in parameters.items()}


def window(images, sources, center):
    """Lays four images out in full, and cuts the frame from their middle."""
    height, width = images.shape[1:3]
    first, second, third, fourth = images[sources]
    upper = np.concatenate([first, second], axis=1)
    lower = np.concatenate([third, fourth], axis=1)
    canvas = np.concatenate([upper, lower], axis=0)
    left, top = width - int(center[0]), height - int(center[1])
    return canvas[top : top + height, left : left + width]


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shows_the_frame_about_the_corner_of_four_images(dtype, channels):
    shape = (7, 9, 14, channels)
    images = np.random.default_rng(0).uniform(0, 255, shape).astype(dtype)
    layer, parameters = fixed(Mosaic(center=(0, 1)), shape, seed=1)
    found = numpy(layer(images))
    assert found.dtype == dtype
    for i in range(7):
        expected = window(
            images, parameters["sources"][i], parameters["center"][i]
        )
        np.testing.assert_array_equal(found[i], expected)


@pytest.mark.any_backend
def test_the_center_keeps_to_its_bounds_on_both_axes():
    _, parameters = fixed(Mosaic(), (2000, 100, 50, 1), seed=0)
    x, y = parameters["center"].T
    assert (x.min(), x.max(), y.min(), y.max()) == (10, 40, 20, 80)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.1


@pytest.mark.any_backend
def test_every_image_is_used_four_times_at_four_places():
    _, parameters = fixed(Mosaic(), (6, 4, 4, 1), seed=0)
    sources = parameters["sources"]
    assert (sources[:, 0] == np.arange(6)).all()
    assert all(len(set(row)) == 4 for row in sources)
    assert all(sorted(column) == list(range(6)) for column in sources.T)


@pytest.mark.any_backend
@pytest.mark.parametrize("batch", [1, 3])
def test_takes_batches_of_less_than_four(batch):
    images = np.random.default_rng(0).uniform(0, 1, (batch, 6, 6, 1))
    layer, parameters = fixed(Mosaic(), images.shape, seed=0)
    assert set(parameters["sources"].flatten()) == set(range(batch))
    found = numpy(layer(images))
    expected = window(images, parameters["sources"][0], parameters["center"][0])
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


@pytest.mark.any_backend
@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 2)])
def test_masks_are_cut_as_images_are(shape):
    masks = np.random.default_rng(0).integers(0, 200, (5, *shape))
    layer, parameters = fixed(Mosaic(), (5, 6, 8, 1), seed=0)
    data = {
        "images": np.zeros((5, 6, 8, 1), "float32"),
        "segmentation_masks": masks.astype("int32"),
    }
    found = numpy(layer(data)["segmentation_masks"])
    assert found.dtype == "int32"
    for i in range(5):
        expected = window(
            masks, parameters["sources"][i], parameters["center"][i]
        )
        np.testing.assert_array_equal(found[i], expected)


@pytest.mark.any_backend
@pytest.mark.parametrize("min_visibility", [0.0, 0.6])
def test_boxes_are_where_their_pixels_are_seen(min_visibility):
    batch, height, width = 30, 16, 24
    random = np.random.default_rng(0)
    left, top = random.integers(0, 16, batch), random.integers(0, 10, batch)
    right, bottom = left + random.integers(1, 9, batch), top + 6
    masks = np.zeros((batch, height, width, 1), "uint8")
    for i in range(batch):
        masks[i, top[i] : bottom[i], left[i] : right[i]] = 1
    boxes = np.stack(
        [left, top, right - left, bottom - top], axis=-1, dtype="float32"
    )
    layer, parameters = fixed(
        Mosaic(bounding_box_format="xywh", min_visibility=min_visibility),
        masks.shape,
        seed=0,
    )
    found = layer(
        {
            "images": masks,
            "bounding_boxes": {
                "boxes": boxes[:, None],
                "labels": np.arange(batch)[:, None],
            },
        }
    )["bounding_boxes"]
    dropped = 0
    for i, sources in enumerate(parameters["sources"]):
        expected = []
        for place, source in enumerate(sources):
            # Only the one image of the four is painted.
            alone = np.zeros((4, height, width))
            alone[place] = masks[source, ..., 0]
            seen = window(alone, np.arange(4), parameters["center"][i])
            rows, columns = np.nonzero(seen)
            if seen.sum() > max(min_visibility * alone.sum() - 1e-3, 0):
                x, y = columns.min(), rows.min()
                right, bottom = columns.max() + 1, rows.max() + 1
                expected.append((source, x, y, right - x, bottom - y))
        padding = [(-1, 0, 0, 0, 0)] * (4 - len(expected))
        dropped += len(padding)
        labels = numpy(found["labels"])[i][:, None]
        got = np.concatenate([labels, numpy(found["boxes"])[i]], axis=1)
        np.testing.assert_allclose(got, expected + padding, atol=1e-4)
    assert 10 < dropped < 110


@pytest.mark.any_backend
@pytest.mark.parametrize("center", [0.5, (0.8, 0.2), (-0.1, 0.5), (0, 0.5, 1)])
def test_a_center_that_is_no_growing_pair_is_refused(center):
    with pytest.raises(ValueError, match="`center` of Mosaic must be"):
        Mosaic(center=center)

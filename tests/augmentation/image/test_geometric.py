"""What the base of the layers that move pixels by a matrix does for them."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation.image._geometric import GeometricAugmentation
from keras_regopt.augmentation.image.functional import _matrices


class Window(GeometricAugmentation):
    """Shows 4 rows and 5 columns: from (3, 2), in inference from (1, 0) on."""

    acts_in_inference = True

    def output_size(self, height, width):
        return 4, 5

    def sample(self, shape, seed):
        return {"matrix": self._from(3, 2, shape)}

    def inference_parameters(self, shape):
        return {"matrix": self._from(1, 0, shape)}

    def _from(self, row, column, shape):
        one = ops.ones((shape[0],))
        return _matrices.affine(one, 0.0, column, 0.0, one, row)


class Shift(GeometricAugmentation):
    """Moves everything two columns to the right."""

    def sample(self, shape, seed):
        one = ops.ones((shape[0],))
        return {"matrix": _matrices.affine(one, 0.0, -2.0, 0.0, one, 0.0)}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def data_of(data_format):
    images = np.arange(2 * 9 * 10 * 3).reshape(2, 9, 10, 3).astype("int32")
    if data_format == "channels_first":
        images = images.transpose(0, 3, 1, 2)
    return {
        "images": images,
        "segmentation_masks": np.arange(180).reshape(2, 9, 10),
        "keypoints": np.array([[[3.5, 4.5], [6, 6]]] * 2, "float32"),
        "bounding_boxes": {
            "boxes": np.array([[[0.2, 3, 0.8, 6]]] * 2, "float32")
            * [[[1, 1 / 9, 1, 1 / 9]]],
            "labels": np.array([[4]] * 2),
        },
    }


@pytest.mark.any_case
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("training", "row", "column"), [(1, 3, 2), (0, 1, 0)])
def test_all_follows_into_an_output_of_another_size(
    data_format, training, row, column
):
    data = data_of(data_format)
    layer = Window(bounding_box_format="rel_xyxy", data_format=data_format)
    outputs = layer(data, training=bool(training))
    rows, columns = slice(row, row + 4), slice(column, column + 5)
    place = (..., rows, columns)
    masks = numpy(outputs["segmentation_masks"])
    np.testing.assert_array_equal(masks, data["segmentation_masks"][place])
    if data_format == "channels_last":
        place = (..., rows, columns, slice(None))
    images = numpy(outputs["images"])
    np.testing.assert_array_equal(images, data["images"][place])
    points = data["keypoints"] - [column, row]
    np.testing.assert_allclose(numpy(outputs["keypoints"]), points)
    box = np.array([2 - column, 3 - row, 8 - column, 6 - row])
    box = np.clip(box, 0, [5, 4, 5, 4]) / [5, 4, 5, 4]
    boxes = numpy(outputs["bounding_boxes"]["boxes"])
    np.testing.assert_allclose(boxes, [[box]] * 2, atol=1e-6)
    promised = layer.compute_output_shape(data["images"].shape)
    assert images.shape == promised
    spec = layer(
        {
            "images": keras.Input(data["images"].shape[1:], dtype="int32"),
            "segmentation_masks": keras.Input((9, 10), dtype="uint8"),
        }
    )
    assert spec["images"].shape == (None, *promised[1:])
    assert spec["segmentation_masks"].shape == (None, 4, 5)
    assert spec["segmentation_masks"].dtype == "uint8"


@pytest.mark.any_backend
def test_the_rate_picks_the_matrix():
    images = np.zeros((64, 9, 10, 1), "float32")
    images[:, 3, 2] = 1
    images[:, 1, 0] = 2
    first = numpy(Window(rate=0.5, seed=0)(images))[:, 0, 0, 0]
    assert set(first.tolist()) == {1, 2}
    layer = Shift(rate=0.5, seed=0, bounding_box_format="xyxy")
    boxes = np.array([[[0, 0, 3, 3]]] * 64, "float32")
    outputs = layer({"images": images, "bounding_boxes": {"boxes": boxes}})
    moved = numpy(outputs["images"])[:, 3, 4, 0] == 1
    assert 16 < moved.sum() < 48
    same = (numpy(outputs["images"])[~moved] == images[~moved]).all()
    assert same
    left = numpy(outputs["bounding_boxes"]["boxes"])[:, 0, 0]
    np.testing.assert_array_equal(left, np.where(moved, 2, 0))

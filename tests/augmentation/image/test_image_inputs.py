"""What every augmentation of images takes and returns."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf
from brighten import Brighten
from keras import ops

from keras_regopt.augmentation import (
    RandomAffine,
    RandomGaussianNoise,
)

LAYERS = [RandomAffine, RandomGaussianNoise]

# Too large for float16, and no two alike in it or in bfloat16.
IDS = np.array([999, 2049, 70001, 70002])


def images_of(*shape, dtype="float32"):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def full_dict(batch=()):
    return {
        "images": images_of(*batch, 6, 8, 3),
        "labels": np.full(batch, 70001),
        "bounding_boxes": {
            "boxes": np.ones((*batch, 2, 4), "float32"),
            "labels": np.ones((*batch, 2), "int32"),
        },
        "segmentation_masks": np.ones((*batch, 6, 8), "uint8"),
        "ids": np.full(batch, 2049),
        "names": np.full(batch, "cat"),
        "nested": {"scores": [0.5], "nothing": None},
    }


@pytest.mark.any_backend
@pytest.mark.parametrize("batch", [(), (4,)])
@pytest.mark.parametrize("training", [True, False])
def test_a_dict_comes_back_whole_and_the_given_one_is_left_alone(
    batch, training
):
    data = full_dict(batch)
    before = copy.deepcopy(data)
    layer = RandomAffine(bounding_box_format="xyxy", rate=0.5, seed=0)
    outputs = layer(data, training=training)
    assert list(outputs) == list(data)
    assert outputs["images"].shape == data["images"].shape
    for key in ("labels", "ids", "names", "nested"):
        assert outputs[key] is data[key]
    assert keras.tree.map_structure(np.shape, data) == (
        keras.tree.map_structure(np.shape, before)
    )
    for key in ("images", "segmentation_masks"):
        np.testing.assert_array_equal(data[key], before[key])
    boxes = data["bounding_boxes"]
    assert (boxes["boxes"] == 1).all()
    assert (boxes["labels"] == 1).all()


@pytest.mark.any_backend
def test_tensors_may_stand_beside_arrays_in_a_dict():
    data = {"images": ops.ones((2, 4, 4, 1)), "labels": np.array([1, 2])}
    outputs = RandomAffine()(data)
    assert outputs["labels"] is data["labels"]


@pytest.mark.any_backend
def test_a_dict_without_images_is_refused():
    with pytest.raises(ValueError, match="key 'images'"):
        RandomAffine()({"image": images_of(2, 4, 4, 1)})


@pytest.mark.any_backend
def test_a_wrong_rank_is_refused():
    with pytest.raises(ValueError, match="must have rank 3, or 4"):
        RandomAffine()(images_of(4, 4))


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_ids_labels_and_strings_survive_tf_data(cls, policy):
    dataset = tf.data.Dataset.from_tensor_slices(
        {
            "images": images_of(4, 6, 5, 3),
            "labels": IDS,
            "ids": IDS.astype("int32"),
            "names": ["a", "b", "c", "d"],
        }
    )
    layer = cls(dtype=policy)
    for batches in (
        dataset.batch(4).map(layer),
        dataset.map(layer).batch(4),
        dataset.batch(4).map(lambda x: layer(x, training=False)),
    ):
        outputs = next(iter(batches))
        assert outputs["images"].dtype == layer.compute_dtype
        assert outputs["labels"].dtype == tf.int64
        assert outputs["labels"].numpy().tolist() == IDS.tolist()
        assert outputs["ids"].numpy().tolist() == IDS.tolist()
        assert outputs["names"].numpy().tolist() == [b"a", b"b", b"c", b"d"]


@pytest.mark.any_backend
def test_boxes_and_masks_follow_in_tf_data_as_they_do_outside():
    data = full_dict((4,))
    del data["nested"]
    data["bounding_boxes"]["boxes"] /= 2
    layer = RandomAffine(
        flip=None,
        rotation=(0.25, 0.25),
        zoom=0,
        translation=(0.1, 0.1),
        bounding_box_format="rel_xywh",
    )
    outside = layer(data)
    dataset = tf.data.Dataset.from_tensors(data)
    inside = next(iter(dataset.map(layer)))
    for key in ("images", "segmentation_masks", "bounding_boxes"):
        for one, other in zip(
            keras.tree.flatten(outside[key]),
            keras.tree.flatten(inside[key]),
            strict=True,
        ):
            np.testing.assert_allclose(numpy(one), other.numpy(), atol=1e-3)


@pytest.mark.any_backend
def test_the_rate_holds_for_an_image_and_all_that_belongs_to_it():
    masks = np.zeros((60, 4, 10), "uint8")
    masks[:, :2, :3] = 1
    layer = RandomAffine(
        flip=None,
        rotation=(0.5, 0.5),
        zoom=0,
        translation=0,
        rate=0.5,
        bounding_box_format="xyxy",
        seed=0,
    )
    boxes = np.array([[[0, 0, 3, 2]]] * 60, "float32")
    outputs = layer(
        {
            "images": masks[..., None].astype("float32"),
            "segmentation_masks": masks,
            "bounding_boxes": {"boxes": boxes, "labels": np.ones((60, 1))},
        }
    )
    moved = numpy(outputs["images"])[:, -1, -1, 0] > 0.5
    assert 10 < moved.sum() < 50
    moved_masks = numpy(outputs["segmentation_masks"])[:, -1, -1] == 1
    np.testing.assert_array_equal(moved_masks, moved)
    left = numpy(outputs["bounding_boxes"]["boxes"])[:, 0, 0]
    np.testing.assert_allclose(left, np.where(moved, 7, 0), atol=1e-4)


@pytest.mark.any_backend
def test_labels_change_only_where_a_layer_says_so():
    data = {"images": images_of(2, 4, 4, 1), "labels": np.array([5, 70001])}
    outputs = Brighten()(data)
    assert numpy(outputs["labels"]).tolist() == [6, 70002]
    assert data["labels"].tolist() == [5, 70001]
    single = {"images": images_of(4, 4, 1), "labels": 5}
    assert numpy(Brighten()(single)["labels"]) == 6


@pytest.mark.any_backend
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_shapes_are_told_before_the_call(data_format):
    layer = RandomAffine(
        data_format=data_format, bounding_box_format="xyxy", dtype="float16"
    )
    assert layer.compute_output_shape((None, 4, 5, 3)) == (None, 4, 5, 3)
    inputs = {
        "images": keras.Input((4, 5, 3)),
        "labels": keras.Input((), dtype="int64"),
        "names": keras.Input((), dtype="string"),
        "bounding_boxes": {
            "boxes": keras.Input((2, 4)),
            "labels": keras.Input((2,), dtype="int32"),
        },
    }
    outputs = layer(inputs)
    assert outputs["images"].shape == (None, 4, 5, 3)
    assert outputs["images"].dtype == "float16"
    assert outputs["labels"].dtype == "int64"
    assert outputs["names"].dtype == "string"
    assert outputs["bounding_boxes"]["boxes"].shape == (None, 2, 4)


@pytest.mark.any_backend
def test_a_functional_model_takes_dicts():
    inputs = {
        "images": keras.Input((4, 5, 3), name="images"),
        "labels": keras.Input((), dtype="int32", name="labels"),
    }
    outputs = RandomAffine(seed=0)(inputs)
    model = keras.Model(inputs, outputs)
    data = {"images": images_of(2, 4, 5, 3), "labels": np.array([1, 70001])}
    result = model(data, training=True)
    assert numpy(result["labels"]).tolist() == [1, 70001]
    assert (numpy(result["images"]) != data["images"]).any()

"""A clip is changed by one draw for all of its frames."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from augmentations import every_layer
from brighten import Brighten

from keras_regopt.augmentation import (
    Choice,
    Compose,
    RandomAffine,
    RandomColor,
    RandomCrop,
    map_dataset,
)

# Three clips of four frames, all frames of all clips alike.
FRAME = np.random.default_rng(0).uniform(0, 255, (12, 10, 3)).astype("float32")
CLIPS = np.tile(FRAME, (3, 4, 1, 1, 1))


def numpy(structure):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, structure)


@pytest.mark.parametrize("make", every_layer())
def test_frames_that_are_alike_stay_so_and_clips_do_not(make):
    layer = make(seed=0)
    if layer.mixes:
        with pytest.raises(ValueError, match="rank 3, or 4 with a batch axis"):
            layer({"images": CLIPS}, training=True)
        return
    found = numpy(layer(CLIPS, training=True))
    assert found.shape == tuple(layer.compute_output_shape(CLIPS.shape))
    np.testing.assert_allclose(found, found[:, :1] + 0 * found, atol=1e-3)
    draws = [numpy(layer(CLIPS, training=True))[:, 0] for _ in range(8)]
    draws = np.concatenate(draws).reshape(24, -1)
    assert len(np.unique(draws.round(1), axis=0)) > 1
    still = numpy(layer(CLIPS, training=False))
    assert still.shape == found.shape
    np.testing.assert_array_equal(still, still[:1, :1] + 0 * still)


def data_of(clips=CLIPS):
    mask = (clips[..., 0] > 128).astype("uint8")
    lead = clips.shape[:2]
    return {
        "images": clips,
        "labels": np.arange(lead[0]),
        "segmentation_masks": mask,
        "bounding_boxes": {
            "boxes": np.tile(np.float32([[1, 2, 6, 9]]), (*lead, 1, 1)),
            "labels": np.ones((*lead, 1), "int32"),
        },
        "keypoints": np.tile(np.float32([[3, 4]]), (*lead, 1, 1)),
        "ids": np.arange(lead[0]),
    }


def layers():
    options = {"rotation": 0.2, "bounding_box_format": "xyxy"}
    return {
        "affine": RandomAffine(**options, seed=0),
        "compose": Compose(
            [RandomAffine(**options), RandomColor()], seed=0, rate=0.8
        ),
        "choice": Choice([RandomAffine(**options), RandomColor()], seed=0),
        "crop": RandomCrop(7, 6, bounding_box_format="xyxy", seed=0),
    }


@pytest.mark.any_backend
@pytest.mark.parametrize("name", layers())
def test_all_that_belongs_to_frames_follows_as_it_does_for_images(name):
    clips, images = layers()[name], layers()[name]
    found = numpy(clips(data_of(), training=True))
    # One frame of each clip, with the same draws.
    expected = numpy(images(data_of(CLIPS[:, :1]), training=True))
    frames = keras.tree.map_structure(
        lambda x: x[:, 0] if x.ndim > 1 else x, data_of()
    )
    alone = numpy(layers()[name](frames, training=True))
    for key in found:
        for one, other, third in zip(
            *(keras.tree.flatten(x[key]) for x in (found, expected, alone)),
            strict=True,
        ):
            if one.ndim == 1:
                np.testing.assert_array_equal(one, other)
                continue
            np.testing.assert_allclose(one, other + 0 * one, atol=1e-3)
            np.testing.assert_allclose(other[:, 0], third, atol=1e-3)


@pytest.mark.any_backend
def test_clips_pass_tf_data_with_their_masks():
    dataset = tf.data.Dataset.from_tensor_slices(
        (CLIPS, (CLIPS[..., 0] > 128).astype("uint8"))
    ).batch(2)
    layer = RandomAffine("horizontal", 0, 0, 0, seed=1)
    for x, y in map_dataset(dataset, layer).as_numpy_iterator():
        assert x.shape[1:] == CLIPS.shape[1:]
        np.testing.assert_array_equal(x[..., 0] > 128, y)
        np.testing.assert_array_equal(x, x[:, :1] + 0 * x)
    spec = tf.TensorSpec((None, None, None, None, 3))
    open_sizes = tf.data.Dataset.from_generator(
        lambda: [CLIPS], output_signature=spec
    )
    (x,) = open_sizes.map(layer).as_numpy_iterator()
    np.testing.assert_array_equal(x, x[:, :1] + 0 * x)


def test_a_model_of_clips_augments_while_it_is_fitted():
    layer = RandomCrop(7, 6)
    model = keras.Sequential(
        [
            keras.Input((4, 12, 10, 3)),
            layer,
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(1),
        ]
    )
    assert layer.output.shape == (None, 4, 7, 6, 3)
    model.compile("sgd", "mse")
    model.fit(CLIPS / 255, np.zeros((3, 1)), verbose=0)
    assert model.predict(CLIPS, verbose=0).shape == (3, 1)


@pytest.mark.any_backend
def test_labels_of_clips_stay_one_for_each():
    found = Brighten()(data_of(), training=True)
    assert numpy(found["labels"]).tolist() == [1, 2, 3]


@pytest.mark.any_backend
def test_an_empty_batch_of_clips_stays_empty():
    for layer in layers().values():
        shape = layer(CLIPS[:0], training=True).shape
        assert tuple(shape) == layer.compute_output_shape((0, *CLIPS.shape[1:]))


@pytest.mark.any_backend
def test_what_is_not_there_for_each_frame_is_refused():
    data = data_of()
    data["keypoints"] = data["keypoints"][:, 0]
    with pytest.raises(ValueError, match=r"`keypoints`.*each of the 4 frames"):
        layers()["affine"](data, training=True)

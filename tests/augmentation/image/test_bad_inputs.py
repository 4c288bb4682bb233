"""What augmentations refuse, and with which words."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from augmentations import every_layer, images_of
from brighten import Brighten

from keras_regopt.augmentation import CutMix, RandomAffine, RandomColor

IMAGES = images_of(2, 4, 4, 3)
LABELS = np.arange(2)


@pytest.mark.any_backend
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.ones((4, 4)), r"rank 3, or 4 .* Received: shape=\(4, 4\)"),
        (np.ones((1, 1, 2, 4, 4, 3)), "rank 3, or 4 .* or 5 for a batch of"),
        (np.ones((2, 0, 4, 3)), "must not be empty"),
        (np.ones((2, 4, 4, 0)), "must not be empty"),
        (np.full((2, 4, 4, 3), "a"), "array of numbers"),
        (np.full((2, 4, 4, 3), None), "array of numbers"),
        (np.ones((2, 4, 4, 3), "complex64"), "array of numbers.*complex64"),
        ("photo.jpg", "array of numbers. Received: 'photo.jpg'"),
        (None, "array of numbers. Received: None"),
        ({"images": None}, "array of numbers. Received: None"),
        ((IMAGES, LABELS), "goes through `map_dataset"),
        ({"image": IMAGES, "labels": LABELS}, "with the key 'images'"),
        (tf.ragged.constant([[[[1.0]]], [[[1.0], [2.0]]]]), "not be ragged"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(images, message, training):
    with pytest.raises(ValueError, match=message):
        RandomAffine()(images, training=training)


@pytest.mark.any_backend
def test_images_of_an_unknown_rank_are_refused_in_tf_data():
    dataset = tf.data.Dataset.from_generator(
        lambda: iter([IMAGES]), output_types=tf.float32
    )
    with pytest.raises(ValueError, match=r"unknown rank.*`tf\.ensure_shape"):
        dataset.map(RandomAffine())


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (keras.Input((4,)), "rank 3, or 4"),
        (keras.Input((4, 4, 3), dtype="string"), "array of numbers"),
    ],
)
def test_a_model_that_cannot_work_is_refused_when_it_is_built(images, message):
    with pytest.raises(ValueError, match=message):
        RandomAffine()(images)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "others", [(LABELS,), (keras.ops.arange(2),), (LABELS, LABELS), ("yes",)]
)
def test_labels_are_not_taken_for_the_training_mode(others):
    remedy = r"goes through `map_dataset.*\{'images': x, 'labels': y\}"
    with pytest.raises(ValueError, match=f"`training` of .* {remedy}"):
        RandomAffine()(IMAGES, *others)


@pytest.mark.any_backend
def test_a_map_over_pairs_names_the_remedy():
    dataset = tf.data.Dataset.from_tensors((IMAGES, LABELS))
    with pytest.raises(ValueError, match="map_dataset"):
        dataset.map(RandomAffine())


@pytest.mark.any_backend
@pytest.mark.parametrize("training", [True, np.bool_(True), 1])
def test_every_way_to_say_true_is_understood(training):
    assert (numpy(Brighten()(IMAGES, training)) == IMAGES + 100).all()
    assert (numpy(Brighten()(IMAGES, training=training)) != IMAGES).all()


@pytest.mark.any_backend
def test_labels_must_be_as_many_as_the_images():
    with pytest.raises(ValueError, match="as many as the images, 2"):
        Brighten()({"images": IMAGES, "labels": np.arange(3)})


@pytest.mark.any_backend
def test_an_error_shows_shapes_instead_of_whole_images():
    with pytest.raises(ValueError, match="must have rank") as error:
        RandomAffine()({"images": np.ones((1000, 4)), "names": ["a", "b"]})
    assert len(str(error.value)) < 400
    assert "'names': ['a', 'b']" in str(error.value)


@pytest.mark.any_case
@pytest.mark.parametrize("make", every_layer())
def test_an_empty_batch_stays_empty(make):
    layer = make()
    promised = layer.compute_output_shape((0, 6, 6, 3))
    for training in (True, False):
        result = layer(images_of(0, 6, 6, 3), training=training)
        assert tuple(result.shape) == tuple(promised)


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", [CutMix, RandomAffine, RandomColor])
def test_an_empty_batch_stays_empty_in_tf_data(cls):
    images = images_of(0, 6, 6, 3)
    dataset = tf.data.Dataset.from_tensors(images)
    assert next(iter(dataset.map(cls()))).shape == images.shape


@pytest.mark.any_case
@pytest.mark.parametrize("make", every_layer())
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((2, 1, 1, 3), "float32"), ((2, 1, 5, 3), "uint8")],
)
def test_the_smallest_images_pass(make, shape, dtype):
    layer = make()
    result = numpy(layer(images_of(*shape, dtype=dtype), training=True))
    assert result.shape == tuple(layer.compute_output_shape(shape))
    assert np.isfinite(result.astype("float32")).all()


@pytest.mark.any_case
@pytest.mark.parametrize("make", every_layer())
@pytest.mark.parametrize("dtype", ["float64", "bool", "int16"])
def test_images_of_unusual_dtypes_pass(make, dtype):
    layer = make()
    images = images_of(2, 12, 10, 3, dtype=dtype)
    kind = dtype.replace("64", "32")
    result = layer(images, training=True)
    assert keras.backend.standardize_dtype(result.dtype) == kind


@pytest.mark.parametrize("make", every_layer())
def test_every_layer_refuses_what_its_base_refuses(make):
    layer = make()
    for images in (np.ones((4, 4)), np.full((2, 4, 4, 3), "a"), None):
        with pytest.raises(ValueError, match="The images of"):
            layer(images)


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)

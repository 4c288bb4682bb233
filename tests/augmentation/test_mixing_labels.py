"""What becomes of labels where images are mixed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import CutMix, MixUp, Mosaic, RandomMix
from keras_regopt.testing._samples import modes

CLASSES = 5
IDS = np.array([4, 0, 2, 1, 3, 3])


def random_mix(**arguments):
    return RandomMix([MixUp(1.0), CutMix(), Mosaic()], **arguments)


MAKERS = [MixUp, CutMix, Mosaic, random_mix]
every_layer = pytest.mark.parametrize("make", MAKERS)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def one_hot(ids):
    return np.eye(CLASSES, dtype="float32")[ids]


def painted(ids=IDS, height=8, width=6):
    """Images with one channel a class, which show their label everywhere."""
    image = np.ones((1, height, width, 1), "float32")
    return image * one_hot(ids)[:, None, None, :]


@pytest.mark.any_backend
@every_layer
@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_labels_tell_how_much_of_each_image_is_seen(make, rate):
    layer = make(num_classes=CLASSES, rate=rate, seed=1)
    ids = np.tile(IDS, 4)
    outputs = layer({"images": painted(ids), "labels": ids})
    labels = numpy(outputs["labels"])
    seen = numpy(outputs["images"]).mean((1, 2))
    np.testing.assert_allclose(labels, seen, atol=1e-6)
    is_mixed = labels.max(axis=1) < 1
    assert is_mixed.any()
    assert rate == 1 or not is_mixed.all()
    assert len(np.unique(labels.max(axis=1))) > 2, "one draw for the batch"


@pytest.mark.any_backend
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_integer_labels_are_mixed_as_their_one_hot_vectors(dtype, shape):
    ids = IDS.astype(dtype).reshape(shape)
    integers = {"images": painted(), "labels": ids}
    floats = {"images": painted(), "labels": one_hot(IDS)}
    found = MixUp(num_classes=CLASSES, seed=0)(integers)["labels"]
    expected = MixUp(seed=0)(floats)["labels"]
    np.testing.assert_array_equal(numpy(found), numpy(expected))


@pytest.mark.any_backend
@every_layer
def test_labels_are_one_hot_in_single_precision_wherever_nothing_mixes(make):
    layer = make(num_classes=CLASSES, rate=0.0, dtype="mixed_float16")
    data = {"images": painted(), "labels": IDS}
    for training in (True, False):
        labels = layer(data, training=training)["labels"]
        assert keras.backend.standardize_dtype(labels.dtype) == "float32"
        np.testing.assert_array_equal(numpy(labels), one_hot(IDS))


@pytest.mark.any_backend
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("shape", [(), (1,), (CLASSES,), (2, 3)])
def test_labels_of_floats_are_mixed_as_they_are(dtype, shape):
    labels = np.random.default_rng(0).uniform(0, 1, (6, *shape)).astype(dtype)
    layer = MixUp(1.0, seed=0)
    parameters = layer.sample((6, 8, 6, CLASSES), seed=7)
    found = layer.apply_to_labels(ops.convert_to_tensor(labels), parameters)
    sources, shares = (numpy(parameters[k]) for k in ("sources", "weights"))
    for i, (own, other) in enumerate(sources):
        expected = shares[i, 0] * labels[own] + shares[i, 1] * labels[other]
        np.testing.assert_allclose(numpy(found)[i], expected, rtol=2e-3)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    assert layer({"images": painted(), "labels": labels})["labels"].shape == (
        6,
        *shape,
    )


@pytest.mark.any_backend
def test_integers_that_are_vectors_already_are_mixed_as_floats():
    several = np.array([[1, 1, 0], [0, 1, 1]] * 3, "uint8")
    layer = CutMix(seed=0)
    labels = numpy(layer({"images": painted(), "labels": several})["labels"])
    assert labels.dtype == "float32"
    np.testing.assert_allclose(labels[:, 1], 1)
    np.testing.assert_allclose(labels[:, 0] + labels[:, 2], 1, atol=1e-6)


@pytest.mark.any_backend
@every_layer
@pytest.mark.parametrize("training", [True, False])
def test_integer_labels_without_the_number_of_classes_are_refused(
    make, training
):
    data = {"images": painted(), "labels": IDS}
    with pytest.raises(ValueError, match="Set `num_classes`"):
        make()(data, training=training)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.array([0, 1, 2, 3, 4, 5]), "from 0 to 4, .* labels from 0 to 5"),
        (np.array([0, 1, 2, 3, 4, -1]), "labels from -1 to 4"),
        (np.array([0, 1, 2]), "as many as the images, 6"),
        ({"kind": IDS}, "must be one tensor"),
        (np.array(3), "as many as the images, 6"),
        (np.zeros((6, 4), "float32"), r"the shape \(batch, 5\)"),
        (np.zeros((6, 4), "int32"), r"the shape \(batch, 5\)"),
        (np.zeros((6,), "float32"), "must be integers, or"),
        (np.zeros((6, 2, 2), "int32"), r"integers of the shape \(batch,\)"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(labels, says):
    with pytest.raises(ValueError, match=says):
        MixUp(num_classes=CLASSES)({"images": painted(), "labels": labels})


@pytest.mark.any_backend
@every_layer
@pytest.mark.parametrize("training", [True, False])
def test_a_single_image_is_refused_with_the_remedy(make, training):
    with pytest.raises(ValueError, match=r"`ds\.batch\(64\)\.map\(layer\)`"):
        make()(painted()[0], training=training)


@pytest.mark.any_backend
@every_layer
def test_of_a_bare_tensor_the_images_are_mixed_alike(make):
    alone = make(seed=0)(painted())
    data = {"images": painted(), "labels": IDS}
    together = make(num_classes=CLASSES, seed=0)(data)["images"]
    np.testing.assert_array_equal(numpy(alone), numpy(together))


@pytest.mark.any_backend
def test_other_keys_pass_and_keypoints_are_refused():
    weights = np.arange(6.0)
    data = {"images": painted(), "sample_weights": weights}
    assert MixUp()(data)["sample_weights"] is weights
    with pytest.raises(ValueError, match="cannot mix keypoints"):
        MixUp()({**data, "keypoints": np.zeros((6, 3, 2))})


@pytest.mark.any_backend
@every_layer
def test_labels_and_images_agree_in_tf_data_whose_sizes_are_open(make):
    layer = make(num_classes=CLASSES, data_format="channels_first")
    images = painted().transpose(0, 3, 1, 2)
    dataset = tf.data.Dataset.from_tensors((images, IDS[:, None]))
    open_sizes = tf.TensorSpec((None, CLASSES, None, None))
    dataset = dataset.map(
        lambda x, y: (tf.ensure_shape(x, open_sizes.shape), y)
    )
    dataset = dataset.map(lambda x, y: layer({"images": x, "labels": y}))
    assert dataset.element_spec["labels"].shape[1:] == (CLASSES,)
    outputs = next(iter(dataset))
    seen = outputs["images"].numpy().mean((2, 3))
    np.testing.assert_allclose(outputs["labels"], seen, atol=1e-6)
    assert (seen.max(axis=1) < 1).any()


@pytest.mark.parametrize("mode", modes())
def test_a_model_mixes_what_it_is_fed_while_it_is_fitted(mode):
    inputs = {
        "images": keras.Input((8, 6, CLASSES), name="images"),
        "labels": keras.Input((), dtype="int32", name="labels"),
    }
    # Which holds all the others.
    mixed = random_mix(num_classes=CLASSES, seed=0)(inputs)
    assert mixed["labels"].shape == (None, CLASSES)
    assert mixed["labels"].dtype == "float32"
    seen = keras.layers.GlobalAveragePooling2D()(mixed["images"])
    gap = keras.layers.Subtract()([seen, mixed["labels"]])
    weight = keras.layers.Dense(1)(seen)
    outputs = {"gap": gap, "labels": mixed["labels"], "weight": weight}
    model = keras.Model(inputs, outputs)
    model.compile(
        "sgd",
        loss={"gap": "mse", "labels": "mae", "weight": "mse"},
        run_eagerly=mode == "eager",
        jit_compile=mode == "jit",
    )
    data = {"images": painted(), "labels": IDS}
    targets = {
        "gap": np.zeros((6, CLASSES)),
        "labels": one_hot(IDS),
        "weight": np.zeros((6, 1)),
    }
    logs = model.fit(data, targets, verbose=0, shuffle=False).history
    assert logs["gap_loss"][0] < 1e-10
    assert logs["labels_loss"][0] > 0.01
    at_rest = model(data)["labels"]
    np.testing.assert_array_equal(numpy(at_rest), one_hot(IDS))


def test_a_jitted_fit_takes_what_tf_data_mixed():
    layer = random_mix(num_classes=CLASSES, seed=0)

    def mixed(x, y):
        outputs = layer({"images": x, "labels": y})
        return outputs["images"], outputs["labels"]

    dataset = tf.data.Dataset.from_tensor_slices((painted(), IDS))
    dataset = dataset.batch(6).map(mixed)
    model = keras.Sequential(
        [
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(CLASSES, "softmax"),
        ]
    )
    jit = keras.backend.backend() != "torch"
    model.compile("sgd", "categorical_crossentropy", jit_compile=jit)
    loss = model.fit(dataset, verbose=0, shuffle=False).history["loss"][0]
    assert np.isfinite(loss)

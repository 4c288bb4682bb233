"""When a layer acts; the layers here turn every image by a quarter."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import (
    RandomAffine,
    RandomCrop,
    RandomGaussianNoise,
)

BACKEND = keras.backend.backend()

# torch compiles by a C++ compiler, which takes a minute for each model.
JIT = (False,) if BACKEND == "torch" else (False, True)

IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3))
IMAGES = IMAGES.astype("float32")
TURNED = np.rot90(IMAGES, axes=(1, 2))


def turn():
    return RandomAffine(
        flip=None, rotation=(0.25, 0.25), zoom=0, translation=0, seed=1
    )


def model_of(*layers):
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


def identity():
    """A layer with weights, so that `fit` has something to train."""
    return keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")


def plain_and_turning():
    return model_of(turn(), identity())


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.turn = turn()
        self.identity = identity()

    def call(self, inputs, training=None):
        return self.identity(self.turn(inputs, training=training))


def assert_turned(outputs):
    outputs = ops.convert_to_numpy(outputs)
    np.testing.assert_allclose(outputs, TURNED, atol=1e-2)


def assert_untouched(outputs):
    np.testing.assert_array_equal(ops.convert_to_numpy(outputs), IMAGES)


def variables_of(model):
    return model.trainable_variables, model.non_trainable_variables


def first_of(dataset):
    return next(iter(dataset.batch(len(IMAGES))))


def slices():
    return tf.data.Dataset.from_tensor_slices(IMAGES)


@pytest.mark.any_backend
def test_acts_in_an_eager_call():
    assert_turned(turn()(IMAGES))


@pytest.mark.any_backend
def test_an_explicit_word_wins():
    assert_turned(turn()(IMAGES, training=True))
    assert_untouched(turn()(IMAGES, training=False))
    assert_turned(plain_and_turning()(IMAGES, training=True))
    assert_turned(Subclassed()(IMAGES, training=True))


@pytest.mark.parametrize("make", [plain_and_turning, Subclassed])
def test_holds_still_in_a_call_of_the_model(make):
    assert_untouched(make()(IMAGES))


@pytest.mark.any_case
@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("make", [plain_and_turning, Subclassed])
def test_acts_in_fit_and_not_in_predict_or_evaluate(make, jit):
    model = make()
    model.compile(keras.optimizers.SGD(0.0), "mae", jit_compile=jit)
    history = model.fit(IMAGES, TURNED, verbose=0)
    assert history.history["loss"][0] < 0.01
    assert model.evaluate(IMAGES, IMAGES, verbose=0) == 0
    assert_untouched(model.predict(IMAGES, verbose=0))


def test_acts_in_a_step_of_training_written_by_hand():
    model = plain_and_turning()
    assert_turned(model(IMAGES, training=True))
    assert_untouched(model(IMAGES))


@pytest.mark.any_backend
def test_acts_in_a_container_of_augmentations_alone():
    noise = RandomGaussianNoise(stddev=0.0)
    assert_turned(model_of(turn(), noise)(IMAGES))
    assert_turned(keras.Sequential([turn(), noise])(IMAGES))
    assert_turned(model_of(model_of(turn()), noise)(IMAGES))
    inputs = keras.Input((8, 8, 3))
    assert_turned(keras.Model(inputs, turn()(inputs))(IMAGES))
    inputs = keras.Input((8, 8, 3))
    assert_untouched(keras.Model(inputs, turn()(inputs) * 1.0)(IMAGES))


def test_random_layers_of_keras_may_stand_in_the_container():
    assert_turned(model_of(keras.layers.RandomBrightness(0.0), turn())(IMAGES))


@pytest.mark.any_backend
def test_layers_that_prepare_data_may_stand_in_the_container():
    resizing = keras.layers.Resizing(8, 8)
    rescaling = keras.layers.Rescaling(1.0)
    assert_turned(model_of(turn(), resizing)(IMAGES))
    assert_turned(keras.Sequential([rescaling, model_of(turn())])(IMAGES))
    # What knows the data, or trains, makes a model.
    normalization = keras.layers.Normalization(mean=0.0, variance=1.0)
    assert_untouched(model_of(turn(), normalization)(IMAGES))
    assert_untouched(model_of(turn(), rescaling, identity())(IMAGES))


@pytest.mark.any_backend
def test_an_empty_word_in_a_container_is_no_word():
    assert_turned(model_of(turn())(IMAGES, training=None))
    assert_untouched(model_of(turn())(IMAGES, training=False))


@pytest.mark.any_backend
def test_acts_in_a_tf_data_function():
    layer = turn()
    assert_turned(first_of(slices().map(layer)))
    pairs = slices().map(lambda x: (layer(x), 7))
    assert_turned(first_of(pairs)[0])
    assert_turned(next(iter(slices().batch(4).map(turn()))))
    assert_untouched(first_of(slices().map(lambda x: layer(x, training=False))))


@pytest.mark.any_backend
def test_acts_in_a_function_within_a_tf_data_function():
    layer = turn()
    within = tf.function(lambda x: layer(x))
    assert_turned(first_of(slices().map(within)))
    assert_turned(
        first_of(
            slices().map(
                lambda x: tf.cond(x[0, 0, 0] >= 0, lambda: layer(x), lambda: x)
            )
        )
    )


@pytest.mark.any_backend
def test_acts_in_a_pipeline_in_tf_data():
    assert_turned(first_of(slices().map(keras.layers.Pipeline([turn()]))))


@pytest.mark.any_backend
@pytest.mark.skipif(
    BACKEND != "tensorflow",
    reason="Keras itself cannot run a Sequential of another backend in tf.data",
)
def test_acts_in_a_container_in_tf_data():
    batches = slices().batch(4)
    assert_turned(next(iter(batches.map(model_of(turn())))))
    mixed = plain_and_turning()
    with pytest.warns(UserWarning, match="Pass `training=True`"):
        resting = batches.map(mixed)
    assert_untouched(next(iter(resting)))
    # A second warning would be an error here.
    assert_untouched(next(iter(batches.map(mixed))))
    acting = batches.map(lambda x: mixed(x, training=True))
    assert_turned(next(iter(acting)))


def test_holds_still_in_any_other_tensorflow_graph():
    layer = turn()
    assert_untouched(tf.function(lambda x: layer(x))(tf.constant(IMAGES)))


def test_holds_still_in_a_stateless_call():
    layer, model = turn(), plain_and_turning()
    assert_untouched(layer.stateless_call([], layer.variables, IMAGES)[0])
    images = ops.convert_to_tensor(IMAGES)
    assert_untouched(model.stateless_call(*variables_of(model), images)[0])
    outputs, _ = model.stateless_call(
        *variables_of(model), images, training=True
    )
    assert_turned(outputs)


@pytest.mark.any_backend
def test_a_stateless_call_leaves_no_trace():
    layer = turn()
    layer.stateless_call([], layer.variables, IMAGES)
    assert_untouched(plain_and_turning()(IMAGES))
    assert_turned(turn()(IMAGES))


if BACKEND == "jax":

    def test_holds_still_under_jit():
        import jax

        layer, model = turn(), plain_and_turning()
        assert_untouched(jax.jit(lambda x: layer(x))(IMAGES))
        assert_untouched(jax.jit(model.call)(IMAGES))

        @jax.jit
        def step(state, x):
            return layer.stateless_call([], state, x, training=True)

        state = [v.value for v in layer.variables]
        assert_turned(step(state, IMAGES)[0])


if BACKEND == "torch":

    def test_holds_still_in_an_exported_torch_program():
        import torch

        images = torch.tensor(IMAGES)
        for model in (plain_and_turning().eval(), turn().eval()):
            program = torch.export.export(model, (images,), strict=False)
            assert_untouched(program.module()(images))


if BACKEND == "tensorflow":

    def test_holds_still_in_a_jitted_graph():
        layer = turn()
        images = tf.constant(IMAGES)
        still = tf.function(lambda x: layer(x), jit_compile=True)
        assert_untouched(still(images))
        acting = tf.function(
            lambda x: layer(x, training=True), jit_compile=True
        )
        assert_turned(acting(images))

    def test_a_served_graph_knows_nothing_of_xla():
        # Nor do converters to ONNX and others.
        layer = RandomCrop(4, 4)
        x = tf.TensorSpec((2, 8, 8, 3))
        for training in (True, False):
            served = tf.function(lambda x, t=training: layer(x, training=t))
            nodes = served.get_concrete_function(x).graph.as_graph_def()
            compiled = [
                f for f in nodes.library.function if "_XlaMustCompile" in f.attr
            ]
            assert bool(compiled) == training

    def test_acts_in_fit_on_several_devices():
        strategy = tf.distribute.MirroredStrategy(
            ["CPU:0", "CPU:1"],
            # Collectives of two strategies in one process disturb each other.
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
        with strategy.scope():
            model = plain_and_turning()
            model.compile(keras.optimizers.SGD(0.0), "mae")
        history = model.fit(IMAGES, TURNED, verbose=0)
        assert history.history["loss"][0] < 0.01


SERVE = """
import sys, numpy as np, tensorflow as tf
images = np.load(sys.argv[1])
for path in sys.argv[2:]:
    loaded = tf.saved_model.load(path)
    assert np.array_equal(loaded.serve(images).numpy(), images), path
assert "keras_regopt" not in sys.modules
"""


@pytest.mark.skipif(
    BACKEND == "torch", reason="Keras exports no SavedModel from torch on CPU"
)
def test_holds_still_in_an_exported_model(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    spec = keras.InputSpec(shape=(None, 8, 8, 3), dtype="float32")
    paths = []
    for name, model in {
        "mixed": plain_and_turning(),
        "alone": model_of(turn()),
    }.items():
        paths.append(str(tmp_path / name))
        model.export(paths[-1], format="tf_saved_model", verbose=False)
        paths.append(str(tmp_path / (name + "_call")))
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", model.call, input_signature=[spec])
        archive.write_out(paths[-1], verbose=False)
    subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path / "images.npy", *paths],
        check=True,
        cwd=tmp_path,
    )

"""Whose draws are whose, and how they repeat."""

import copy
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_regopt.augmentation import (
    RandomAffine,
    RandomGaussianNoise,
)

LAYERS = [RandomAffine, RandomGaussianNoise]


def images_of(*shape, dtype="float32"):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
def test_every_image_has_a_draw_of_its_own(cls):
    same = np.repeat(images_of(1, 6, 6, 1), 4, axis=0)
    for results in (
        numpy(cls()(same)),
        next(iter(tf.data.Dataset.from_tensors(same).map(cls()))).numpy(),
    ):
        assert len(np.unique(results.reshape(4, -1), axis=0)) == 4


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("seed", [0, 5])
def test_the_same_seed_gives_the_same_results_again_and_again(cls, seed):
    images = images_of(4, 6, 6, 1)
    one, other = cls(seed=seed), cls(seed=seed)
    first = numpy(one(images))
    np.testing.assert_array_equal(first, numpy(other(images)))
    second = numpy(one(images))
    np.testing.assert_array_equal(second, numpy(other(images)))
    assert (first != second).any()
    assert (numpy(cls(seed=seed + 1)(images)) != first).any()
    one, other = (
        [
            x.numpy()
            for x in tf.data.Dataset.from_tensors(images)
            .repeat(2)
            .map(cls(seed=seed))
        ]
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    assert (one[0] != one[1]).any()


@pytest.mark.any_backend
def test_the_rate_is_the_share_of_images_that_change():
    images = images_of(1000, 2, 2, 1)
    layer = RandomGaussianNoise(stddev=0.2, rate=0.3, seed=0)
    result = numpy(layer(images))
    changed = (result != images).any(axis=(1, 2, 3)).sum()
    # Five standard deviations.
    assert abs(changed - 300) < 5 * np.sqrt(1000 * 0.3 * 0.7)
    still = RandomGaussianNoise(rate=0.0)
    np.testing.assert_array_equal(numpy(still(images)), images)


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
def test_the_state_of_the_seed_is_saved_and_loaded(cls, tmp_path):
    images = images_of(4, 6, 6, 1)
    model = keras.Sequential([keras.Input((6, 6, 1)), cls(seed=7)])
    dataset = tf.data.Dataset.from_tensors(images)
    for _ in range(3):
        model(images)
        next(iter(dataset.map(model.layers[0])))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(loaded(images)), numpy(model(images)))
    one, other = (
        next(iter(dataset.map(m.layers[0]))).numpy() for m in (loaded, model)
    )
    np.testing.assert_array_equal(one, other)
    assert (one != next(iter(dataset.map(cls(seed=7)))).numpy()).any()


@pytest.mark.any_backend
@pytest.mark.parametrize("state", [[2**32 - 5, 9], [12, 2**31 + 7]])
def test_the_state_of_a_seed_fits_every_backend(state):
    layer = RandomAffine()
    layer.load_own_variables({"seed_state": np.array(state)})
    store = {}
    layer.save_own_variables(store)
    assert store["seed_state"].tolist() == state
    assert numpy(layer(images_of(1, 4, 4, 1))).shape == (1, 4, 4, 1)


RELOAD = """
import importlib.machinery, os, sys
class WithoutTensorFlow:
    def find_spec(self, name, *others):
        if name == "tensorflow":
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        raise ModuleNotFoundError(spec.name)
if os.environ["KERAS_BACKEND"] != "tensorflow":
    sys.meta_path.insert(0, WithoutTensorFlow())
import numpy as np, keras, keras_regopt
images = np.load(sys.argv[1])
model = keras.models.load_model(sys.argv[2])
result = keras.ops.convert_to_numpy(model(images, training=True))
np.testing.assert_allclose(result, np.load(sys.argv[3]), atol=1e-3)
"""


def test_a_fresh_process_goes_on_where_the_saved_model_stopped(tmp_path):
    images = images_of(4, 6, 6, 1)
    layers = [cls(seed=1) for cls in LAYERS]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    model(images, training=True)
    for layer in layers:
        next(iter(tf.data.Dataset.from_tensors(images).map(layer)))
    np.save(tmp_path / "in.npy", images)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "out.npy", numpy(model(images, training=True)))
    names = [tmp_path / n for n in ("in.npy", "model.keras", "out.npy")]
    environment = {**os.environ, "KERAS_BACKEND": keras.backend.backend()}
    subprocess.run(
        [sys.executable, "-c", RELOAD, *names], check=True, env=environment
    )


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
def test_a_config_goes_through_json(cls):
    layer = cls(rate=0.5, seed=0, data_format="channels_first", name="aug")
    config = json.loads(json.dumps(layer.get_config()))
    again = cls.from_config(config)
    assert again.get_config() == layer.get_config()
    assert again.seed == 0


@pytest.mark.any_backend
def test_a_copy_is_a_layer_of_its_own():
    images = images_of(4, 6, 6, 1)
    layer = RandomAffine(seed=3)
    layer(images)
    other = copy.deepcopy(layer)
    np.testing.assert_array_equal(numpy(other(images)), numpy(layer(images)))

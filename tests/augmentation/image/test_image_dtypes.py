"""Dtypes, layouts and sizes that every augmentation takes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from brighten import Brighten
from keras import ops

from keras_regopt.augmentation import (
    RandomAffine,
    RandomGaussianNoise,
    _compile,
)

BACKEND = keras.backend.backend()
LAYERS = [RandomAffine, RandomGaussianNoise]

POLICIES = {
    "float32": "float32",
    "mixed_float16": "float16",
    "mixed_bfloat16": "bfloat16",
}
if BACKEND != "jax":
    # JAX has no float64 unless it is switched on for the whole process.
    POLICIES["float64"] = "float64"


def images_of(*shape, dtype="float32"):
    images = np.random.default_rng(0).uniform(0, 255, shape)
    return images.astype(dtype)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def dtype_of(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


@pytest.mark.any_case
@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("policy", list(POLICIES))
def test_floats_leave_in_the_compute_dtype(cls, policy):
    layer = cls(dtype=policy, seed=0)
    images = images_of(4, 6, 5, 3)
    for training in (True, False):
        result = layer(images, training=training)
        assert dtype_of(result) == POLICIES[policy]
    inputs = keras.Input((6, 5, 3))
    assert layer(inputs).dtype == layer.compute_dtype


@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_integers_stay_integers(cls, dtype):
    layer = cls(dtype="mixed_bfloat16", seed=0)
    images = images_of(4, 6, 5, 3, dtype=dtype)
    for training in (True, False):
        assert dtype_of(layer(images, training=training)) == dtype
    inputs = keras.Input((6, 5, 3), dtype=dtype)
    assert layer(inputs).dtype == dtype


@pytest.mark.any_backend
def test_integers_are_rounded_and_do_not_wrap_around():
    images = np.array([[0, 100, 200, 255]], "uint8")[..., None]
    assert numpy(Brighten()(images)).ravel().tolist() == [100, 200, 255, 255]
    still = {"flip": None, "rotation": 0, "zoom": 0}
    half = RandomAffine(**still, translation=(1 / 8, 1 / 8))
    # Half a pixel from the left: means of neighbors, to the nearest integer.
    assert numpy(half(images)).ravel().tolist() == [0, 50, 150, 228]


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision_does_not_blur_where_pixels_are_read(dtype):
    images = images_of(1, 8, 600, 1)
    parameters = {"seed": 4, "flip": "horizontal", "zoom": 0.1}
    wide = numpy(RandomAffine(**parameters)(images))
    low = numpy(
        ops.cast(RandomAffine(**parameters, dtype=dtype)(images), float)
    )
    np.testing.assert_allclose(low, wide, atol=1.0)


@pytest.mark.any_backend
def test_apply_gets_batches_of_floats_with_channels_last():
    layer = Brighten(data_format="channels_first")
    assert layer(images_of(3, 5, 6, dtype="uint8")).shape == (3, 5, 6)
    assert tuple(layer.seen_shape) == (1, 5, 6, 3)
    assert dtype_of(layer(images_of(2, 3, 5, 6))) == "float32"
    assert keras.backend.standardize_dtype(layer.seen_dtype) == "float32"


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", LAYERS)
def test_channels_first_is_channels_last_transposed(cls):
    images = images_of(4, 6, 7, 2)
    masks = np.random.default_rng(1).integers(0, 9, (4, 6, 7, 1))
    last = cls(seed=3, data_format="channels_last")(
        {"images": images, "segmentation_masks": masks}
    )
    first = cls(seed=3, data_format="channels_first")(
        {
            "images": images.transpose(0, 3, 1, 2),
            "segmentation_masks": masks.transpose(0, 3, 1, 2),
        }
    )
    for key in last:
        moved = numpy(first[key]).transpose(0, 2, 3, 1)
        np.testing.assert_allclose(moved, numpy(last[key]), atol=1e-4)


@pytest.mark.any_backend
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("cls", LAYERS)
def test_sizes_may_be_unknown_in_tf_data(cls, dtype):
    def generate():
        for height, width in ((5, 7), (8, 4)):
            yield images_of(height, width, 3, dtype=dtype)

    spec = tf.TensorSpec((None, None, None), dtype)
    images = tf.data.Dataset.from_generator(generate, output_signature=spec)
    layer = cls(rate=0.9, seed=0)
    shapes = [tuple(x.shape) for x in images.map(layer)]
    assert shapes == [(5, 7, 3), (8, 4, 3)]
    shapes = [tuple(x.shape) for x in images.batch(1).map(layer)]
    assert shapes == [(1, 5, 7, 3), (1, 8, 4, 3)]


@pytest.mark.parametrize("cls", LAYERS)
def test_a_compiled_batch_is_the_batch(cls, monkeypatch):
    images = images_of(4, 9, 7, 3)
    plain = numpy(cls(seed=0, rate=0.5)(images))
    monkeypatch.setattr(_compile, "SMALLEST_EAGER", 0)
    compiled = cls(seed=0, rate=0.5)
    np.testing.assert_allclose(numpy(compiled(images)), plain, atol=1e-2)


def test_ever_new_shapes_do_not_compile_for_ever(monkeypatch):
    monkeypatch.setattr(_compile, "SMALLEST_EAGER", 0)
    monkeypatch.setattr(_compile, "MOST_EAGER_SHAPES", 1)
    layer = RandomAffine()
    for width in (3, 4, 5):
        assert layer(images_of(1, 3, width, 1)).shape == (1, 3, width, 1)

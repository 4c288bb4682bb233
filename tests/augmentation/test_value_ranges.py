"""Data that do not fit `value_range` are told of, once."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from augmentations import every_layer

from keras_regopt.augmentation import (
    Averaged,
    Choice,
    Compose,
    RandAugment,
    RandomAffine,
    RandomErasing,
    RandomGaussianNoise,
    RandomInvert,
    RandomSharpness,
    map_dataset,
)

UNIT = np.random.default_rng(0).random((4, 6, 6, 3), "float32")


def told(function):
    """What a function warns of."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        # Of torch, of an index that Keras hands it before 3.14.
        warnings.filterwarnings("ignore", ".*non-tuple sequence")
        function()
    return [str(w.message) for w in warned if w.category is UserWarning]


@pytest.mark.any_backend
@pytest.mark.parametrize("make", every_layer())
def test_every_layer_with_a_range_tells_of_floats_from_0_to_1(make):
    layer = make()
    messages = told(lambda: layer({"images": UNIT}, training=True))
    ranged = layer.ranged_layers()
    assert bool(ranged) == bool(messages)
    for message in messages:
        assert type(ranged[0]).__name__ in message
        assert "such as `value_range=(0, 1)`" in message


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("images", "value_range", "remedy"),
    [
        (UNIT * 2 - 1, (0, 255), "`value_range=(-1, 1)`"),
        (UNIT * 1.2, (0, 65535), "`value_range=(0, 1)`"),
        (UNIT > 0.5, (0, 255), "`value_range=(0, 1)`"),
        (UNIT * 255, (0, 1), "`value_range=(0, 255)`"),
        ((UNIT * 255).astype("uint8"), (0, 1), "`value_range=(0, 255)`"),
        ((UNIT * 65535).astype("uint16"), (0, 255), "`value_range=(0, 65535)`"),
        ((UNIT * 4095).astype("int32"), (0, 255), "16 bits `value_range=(0"),
        ((UNIT * 4e5).astype("int32"), (0, 255), "that the images can have."),
        (UNIT * -300, (0, 255), "that the images can have."),
    ],
)
def test_the_warning_names_the_range_and_the_remedy(
    images, value_range, remedy
):
    layer = RandomGaussianNoise(value_range=value_range)
    (message,) = told(lambda: [layer(images), layer(images)])
    assert "The images that RandomGaussianNoise got reach from" in message
    assert f"`value_range` is {value_range}" in message
    assert remedy in message


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("images", "value_range"),
    [
        (UNIT, (0, 1)),
        (UNIT * 2 - 1, (-1, 1)),
        (UNIT * 255, (0, 255)),
        ((UNIT * 255).astype("uint8"), (0, 255)),
        ((UNIT * 65535).astype("uint16"), (0, 65535)),
        # No more than dark.
        (UNIT * 20, (0, 255)),
    ],
)
def test_data_within_the_range_pass_without_a_word(images, value_range):
    layer = RandomGaussianNoise(value_range=value_range)
    assert not told(lambda: layer(images))


@pytest.mark.any_backend
def test_a_black_batch_does_not_end_the_search():
    layer = RandomInvert()
    assert not told(lambda: layer(0 * UNIT))
    assert len(told(lambda: [layer(UNIT), layer(UNIT)])) == 1


@pytest.mark.any_backend
def test_nothing_is_told_where_nothing_is_augmented():
    layer = RandomInvert()
    assert not told(lambda: layer(UNIT, training=False))


@pytest.mark.any_backend
@pytest.mark.parametrize("container", [Compose, Choice])
def test_a_container_warns_once_for_all_that_it_holds(container):
    parts = [
        RandomSharpness(),
        RandomErasing(),
        RandomInvert(value_range=(0, 1)),
        Compose([RandomAffine(), RandAugment()]),
    ]
    (message,) = told(lambda: container(parts)(UNIT))
    assert "that RandomSharpness, RandAugment got" in message


@pytest.mark.any_backend
@pytest.mark.parametrize("mapped", ["map", "map_dataset"])
@pytest.mark.parametrize("calls", [1, 2])
def test_tf_data_looks_at_the_first_elements(mapped, calls):
    layer = RandomInvert(rate=1.0)
    images = np.concatenate([0 * UNIT[:1], UNIT])
    dataset = tf.data.Dataset.from_tensor_slices(images).repeat(2)
    if mapped == "map":
        dataset = dataset.map(layer, num_parallel_calls=calls)
    else:
        dataset = map_dataset(dataset, layer, num_parallel_calls=calls)
    found = []
    (message,) = told(lambda: found.extend(dataset.as_numpy_iterator()))
    assert "RandomInvert got reach from 0.0" in message
    np.testing.assert_array_equal(found[5:], 255 - images)
    assert not told(lambda: list(dataset))


@pytest.mark.any_backend
def test_tf_data_passes_data_within_the_range_without_a_word():
    dataset = tf.data.Dataset.from_tensors((UNIT * 255).astype("uint8"))
    assert not told(lambda: list(dataset.map(RandomInvert())))


def test_nothing_looks_at_values_in_a_graph_other_than_that_of_tf_data():
    layer = RandomInvert()
    step = tf.function(lambda images: layer(images, training=True))
    assert not told(lambda: step(UNIT))
    operations = step.get_concrete_function(UNIT).graph.get_operations()
    assert "EagerPyFunc" not in {operation.type for operation in operations}


@pytest.mark.any_backend
def test_views_of_a_prediction_are_looked_at():
    model = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Flatten()])
    averaged = Averaged(model, [RandomGaussianNoise()])
    (message,) = told(lambda: [averaged(UNIT), averaged(UNIT)])
    assert "RandomGaussianNoise" in message

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    Choice,
    Compose,
    CutMix,
    ImageAugmentation,
    RandomAffine,
    RandomCrop,
    RandomGaussianNoise,
    RandomResizedCrop,
)

BACKEND = keras.backend.backend()
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (6, 8, 8, 3)).astype("float32")
MANY = np.zeros((300, 2, 2, 1), "float32")


class Add(ImageAugmentation):
    """Adds a number to images, and to their labels."""

    targets = frozenset({"labels"})

    def __init__(self, amount, **kwargs):
        super().__init__(**kwargs)
        self.amount = amount

    def sample(self, shape, seed):
        (draw,) = self.uniforms(1, shape[0], seed)
        return {"amount": 0 * draw + self.amount}

    def apply(self, inputs, parameters):
        return inputs + parameters["amount"][:, None, None, None]

    def apply_to_labels(self, labels, parameters):
        return labels + parameters["amount"]


def shift(down, across, **options):
    """Shifts by whole pixels of an image of eight, leaving black behind."""
    layer = RandomAffine(
        flip=None,
        rotation=0,
        zoom=0,
        translation=0,
        fill_mode="constant",
        bounding_box_format="xyxy",
        **options,
    )
    move = np.array([[1, 0, -across], [0, 1, -down], [0, 0, 1]], "float32")
    layer.sample = lambda shape, seed: {
        "matrix": layer.ops.convert_to_tensor(
            np.repeat(move[None], shape[0], axis=0)
        )
    }
    layer._only_flips = lambda: False
    return layer


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


def found(layer):
    """What became of zeros, one number an image."""
    return to_numpy(layer(MANY))[:, 0, 0, 0]


def test_each_image_gets_one_layer_as_often_as_it_should():
    numbers = found(Choice([Add(1), Add(2), Add(3)], seed=0))
    assert set(numbers) == {1, 2, 3}
    assert all(0.25 < np.mean(numbers == n) < 0.42 for n in (1, 2, 3))
    numbers = found(Choice([Add(1), Add(2)], probabilities=[9, 1], seed=0))
    assert 0.85 < np.mean(numbers == 1) < 0.95


@pytest.mark.any_backend
def test_rates_spare_images():
    numbers = found(Choice([Add(1), Add(2)], rate=0.5, seed=0))
    assert set(numbers) == {0, 1, 2}
    assert 0.4 < np.mean(numbers == 0) < 0.6
    numbers = found(Choice([Add(1, rate=0.5), Add(2)], seed=0))
    assert 0.18 < np.mean(numbers == 0) < 0.32
    assert 0.42 < np.mean(numbers == 2) < 0.58


@pytest.mark.any_backend
def test_labels_boxes_masks_and_keypoints_go_with_their_image():
    images = np.zeros((40, 8, 8, 1), "float32")
    images[:, 1:3, 1:4] = 1
    data = {
        "images": images,
        "labels": np.zeros(40, "float32"),
        "segmentation_masks": images[..., 0].astype("int32"),
        "bounding_boxes": {
            "boxes": np.tile([[[1.0, 1.0, 4.0, 3.0]]], (40, 1, 1)),
            "labels": np.ones((40, 1)),
        },
        "keypoints": np.tile([[[1.5, 1.5]]], (40, 1, 1)),
    }
    layers = [shift(4, 0), Compose([Add(1), shift(0, 3)]), Add(2)]
    result = Choice(layers, seed=0)(data)
    result = keras.tree.map_structure(to_numpy, result)
    moves = {0: (4, 0), 1: (0, 3), 2: (0, 0)}
    assert set(result["labels"]) == set(moves)
    for i, label in enumerate(result["labels"]):
        down, across = moves[label]
        mask = np.zeros((8, 8))
        mask[1 + down : 3 + down, 1 + across : 4 + across] = 1
        assert np.array_equal(result["segmentation_masks"][i], mask)
        painted = result["images"][i, ..., 0]
        assert np.allclose(painted[mask == 1], 1 + label, atol=1e-4)
        box = result["bounding_boxes"]["boxes"][i, 0]
        move = np.array([across, down, across, down])
        assert np.allclose(box, [1, 1, 4, 3] + move, atol=1e-4)
        point = result["keypoints"][i, 0]
        assert np.allclose(point, [1.5, 1.5] + move[:2], atol=1e-4)


@pytest.mark.any_backend
def test_choices_nest():
    inner = Choice([Add(1), Add(2)], rate=0.5)
    layer = Choice([inner, Compose([Add(3), inner])], seed=0)
    assert set(found(layer)) == {0, 1, 2, 3, 4, 5}


@pytest.mark.any_backend
def test_layers_that_change_the_size_alike_can_be_chosen_from():
    layer = Choice([RandomCrop(4, 4), RandomResizedCrop(4, 4)], rate=0.5)
    assert layer(keras.Input((8, 8, 3))).shape == (None, 4, 4, 3)
    middle = IMAGES[:, 2:6, 2:6]
    assert np.array_equal(to_numpy(layer(IMAGES, training=False)), middle)
    result = to_numpy(layer(IMAGES, training=True))
    # Some of six are spared.
    same = np.all(result == middle, axis=(1, 2, 3))
    assert result.shape == middle.shape
    assert not same.all()


@pytest.mark.any_backend
def test_without_a_seed_each_layer_draws_from_its_own():
    alone = RandomAffine(seed=3)
    layer = Choice([RandomAffine(seed=3)])
    for _ in range(2):
        assert np.allclose(to_numpy(layer(IMAGES)), to_numpy(alone(IMAGES)))


if BACKEND == "tensorflow":

    def test_a_compiled_choice_does_what_an_eager_one_does():
        def layer():
            noise = RandomGaussianNoise(rate=0.5)
            return Choice([RandomAffine(), noise, Add(1)], seed=1)

        compiled = tf.function(functools.partial(layer(), training=True))
        expected = to_numpy(layer()(IMAGES))
        assert np.allclose(compiled(tf.constant(IMAGES)), expected, atol=1e-3)


@pytest.mark.any_backend
def test_refuses_what_it_cannot_choose_from():
    with pytest.raises(ValueError, match=r"do not mix.*RandomMix"):
        Choice([Add(1), Compose([CutMix()])])
    with pytest.raises(ValueError, match="the same size"):
        Choice([Add(1), RandomCrop(4, 4)])
    with pytest.raises(ValueError, match="a list of 2 numbers > 0"):
        Choice([Add(1), Add(2)], probabilities=[1])
    with pytest.raises(ValueError, match="`probabilities` of Choice"):
        Choice([Add(1)], probabilities=[0])
    with pytest.raises(ValueError, match="`layers` of Choice"):
        Choice(Add(1))

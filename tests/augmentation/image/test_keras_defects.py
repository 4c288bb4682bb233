"""What Keras 3.15.1's image layers get wrong, each as a test of ours.

Those that concern every layer stand in the contract: exported models and
`model(x)` augment, layers fail under XLA or lose the state of their seed,
batches share a draw, labels are cast, the caller's dict is edited. Boxes are
held against pixels in `test_image_targets.py`, parallel calls of `tf.data`
in `test_map_dataset.py`.
"""

import keras
import numpy as np
import pytest
from augmentations import every_layer, images_of

from keras_regopt.augmentation import (
    CutMix,
    MixUp,
    RandAugment,
    RandomAffine,
    RandomColor,
    RandomCrop,
    RandomEqualize,
    RandomErasing,
    RandomGrayscale,
    RandomInvert,
    RandomPerspective,
)
from keras_regopt.testing._saving import through_file


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def color(**arguments):
    """Only what is named changes."""
    still = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0)
    return RandomColor(**still | arguments)


@pytest.mark.any_backend
def test_a_sheared_layer_can_be_reloaded():
    # `RandomShear(0.1)` of Keras cannot.
    layer = RandomAffine(shear=0.1, zoom=(0.1, 0.2), seed=1)
    model = keras.Sequential([keras.Input((6, 6, 1)), layer])
    reloaded = through_file(model).layers[0]
    assert reloaded.get_config() == layer.get_config()
    x = images_of(2, 6, 6, 1)
    np.testing.assert_array_equal(numpy(reloaded(x)), numpy(layer(x)))


@pytest.mark.any_backend
def test_equalization_is_not_dropped_from_a_sequential_model():
    images = np.linspace(100, 150, 64).reshape(1, 8, 8, 1)
    model = keras.Sequential([keras.Input((8, 8, 1)), RandomEqualize(rate=1.0)])
    assert np.ptp(numpy(model(images, training=True))) > 200


@pytest.mark.any_backend
def test_contrast_goes_both_ways():
    # `RandomContrast(0.3)` of Keras draws from 1 to 1.3.
    images = np.full((300, 1, 2, 1), 100.0)
    images[:, :, 1] = 150
    results = numpy(color(contrast=0.3, seed=0)(images))
    factors = (results[:, 0, 1, 0] - results[:, 0, 0, 0]) / 50
    assert 0.7 - 1e-5 <= factors.min() < 0.75
    assert 1.25 < factors.max() <= 1.3 + 1e-5


@pytest.mark.any_backend
def test_a_little_saturation_never_turns_an_image_gray():
    # `RandomSaturation(0.2)` of Keras does so to half of them.
    images = np.broadcast_to([100.0, 120.0, 140.0], (300, 1, 1, 3))
    results = numpy(color(saturation=0.2, seed=0)(images))
    spans = np.ptp(results, axis=(1, 2, 3)) / 40
    assert 0.8 - 1e-5 <= spans.min() < 0.85
    assert 1.15 < spans.max() <= 1.2 + 1e-5


@pytest.mark.any_backend
def test_flips_go_each_way_alone_too():
    # "horizontal_and_vertical" of Keras flips both ways or not at all.
    image = np.arange(4.0).reshape(1, 2, 2, 1)
    layer = RandomAffine("both", 0, 0, 0, seed=0)
    results = numpy(layer(np.repeat(image, 64, axis=0)))
    corners = results[:, 0, 0, 0].round()
    assert sorted(set(corners)) == [0, 1, 2, 3]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "layer",
    [RandomErasing(rate=1.0), RandomInvert(rate=1.0)],
    ids=["erasing", "inverting"],
)
def test_a_rate_of_one_reaches_every_image(layer):
    # `RandomErasing(1.0)` and `RandomInvert(1.0)` of Keras reach half of them.
    images = np.full((64, 8, 8, 1), 100.0)
    results = numpy(layer(images))
    assert (results != images).any(axis=(1, 2, 3)).all()


@pytest.mark.any_backend
def test_perspective_moves_every_corner():
    # That of Keras pins the top left one.
    corners = np.array([[0, 0], [8, 0], [0, 8], [8, 8]], "float32")
    corners = np.repeat(corners[None], 16, axis=0)
    data = {"images": images_of(16, 8, 8, 1), "keypoints": corners}
    moved = numpy(RandomPerspective(scale=0.4, seed=0)(data)["keypoints"])
    distances = np.linalg.norm(moved - corners, axis=-1)
    assert (distances.max(axis=0) > 0.5).all()


@pytest.mark.any_backend
def test_bytes_do_not_wrap_around():
    # `RandomBrightness` of Keras turns 250 into 19.
    images = np.full((8, 2, 2, 3), 250, "uint8")
    results = numpy(color(brightness=(0.1, 0.2), seed=0)(images))
    assert results.dtype == np.uint8
    assert (results >= 250).all()


@pytest.mark.any_backend
def test_every_image_is_cropped_elsewhere():
    # `RandomCrop` of Keras draws one place for the whole batch.
    images = np.repeat(np.arange(100.0).reshape(1, 10, 10, 1), 32, axis=0)
    results = numpy(RandomCrop(4, 4, seed=0)(images))
    assert len(set(results[:, 0, 0, 0])) > 10


@pytest.mark.any_backend
def test_every_image_gets_operations_of_its_own():
    # `RandAugment` of Keras draws one list for the whole batch.
    images = np.repeat(images_of(1, 8, 8, 3), 32, axis=0)
    results = numpy(RandAugment(num_ops=1, seed=0)(images))
    assert len(np.unique(results.reshape(32, -1), axis=0)) > 5


def test_every_image_has_a_histogram_of_its_own():
    # `Equalization` of Keras takes one of the whole batch.
    dark, light = images_of(2, 8, 8, 1) * [[[[0.2]]], [[[0.5]]]]
    layer = RandomEqualize(rate=1.0)
    together = numpy(layer(np.stack([dark, light])))
    for alone, image in zip(together, (dark, light), strict=True):
        np.testing.assert_allclose(alone, numpy(layer(image)), atol=1e-3)


@pytest.mark.any_backend
def test_the_seed_of_a_gray_scale_layer_is_in_its_config():
    # `RandomGrayscale` of Keras drops it.
    assert RandomGrayscale(seed=5).get_config()["seed"] == 5


@pytest.mark.any_backend
@pytest.mark.parametrize("cls", [MixUp, CutMix])
def test_mixing_keeps_masks_of_one_channel(cls):
    # `CutMix` of Keras gives them three, `MixUp` averages class numbers.
    masks = np.array([0, 3, 7, 9], "uint8").reshape(4, 1, 1, 1)
    data = {
        "images": images_of(4, 6, 6, 3),
        "segmentation_masks": np.broadcast_to(masks, (4, 6, 6, 1)),
        "labels": np.arange(4),
    }
    results = cls(num_classes=4, seed=0)(data)
    mixed = numpy(results["segmentation_masks"])
    assert mixed.shape == (4, 6, 6, 1)
    assert mixed.dtype == np.uint8
    assert set(mixed.ravel()) <= {0, 3, 7, 9}


@pytest.mark.parametrize("make", every_layer())
def test_no_layer_switches_xla_off(make):
    # Rotation, shear, perspective, translation, RandAugment and AugMix of
    # Keras do so for the whole model.
    model = keras.Sequential([keras.Input((12, 10, 3)), make()])
    model.compile("sgd", "mse", jit_compile=True)
    assert model.supports_jit

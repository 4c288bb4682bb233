"""Several images of one scene change by one draw."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_regopt.augmentation import (
    Choice,
    Compose,
    CutMix,
    RandAugment,
    RandomAffine,
    RandomColor,
    RandomCrop,
    RandomGaussianNoise,
)

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 12, 10, 3))
IMAGES = IMAGES.astype("float32")
MASKS = (IMAGES[..., 0] > 128).astype("uint8")
KINDS = {"right": "images", "weights": "segmentation_masks"}

MAKERS = {
    "affine": lambda **kw: RandomAffine(rotation=0.2, **kw),
    "crop": lambda **kw: RandomCrop(7, 6, **kw),
    "noise": RandomGaussianNoise,
    "rand_augment": RandAugment,
    "cut_mix": CutMix,
    "compose": lambda **kw: Compose(
        [RandomAffine(seed=3), RandomColor(), RandomCrop(7, 6)], **kw
    ),
    "choice": lambda **kw: Choice([RandomAffine(), RandomColor()], **kw),
}


def after(layer, data, training=True):
    return {
        key: keras.ops.convert_to_numpy(value)
        for key, value in layer(data, training=training).items()
    }


def data_of(images=IMAGES, masks=MASKS):
    return {
        "images": images,
        "segmentation_masks": masks,
        "right": images,
        "weights": masks.astype("float32"),
        "ids": np.arange(len(images)),
    }


@pytest.mark.any_backend
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_what_is_alike_before_is_alike_afterwards(name, rate):
    layer = MAKERS[name](seed=0, rate=rate, additional_targets=KINDS)
    found = after(layer, data_of())
    assert found["images"].shape == layer.compute_output_shape(IMAGES.shape)
    np.testing.assert_allclose(found["right"], found["images"], atol=1e-3)
    masks = found["segmentation_masks"].astype("float32")
    np.testing.assert_array_equal(found["weights"], masks)
    assert found["right"].shape != IMAGES.shape or (
        (abs(found["right"] - IMAGES) > 1).any()
    )
    without = MAKERS[name](seed=0, rate=rate)
    same = after(without, {"images": IMAGES})["images"]
    np.testing.assert_allclose(found["images"], same, atol=1e-3)


@pytest.mark.any_backend
def test_a_list_of_keys_means_images_of_any_number_of_channels():
    layer = RandomAffine(rotation=0.2, seed=0, additional_targets=["depth"])
    for part in (IMAGES, IMAGES[0]):
        data = {"images": part, "depth": part[..., :1]}
        found = after(layer, data)
        np.testing.assert_allclose(found["depth"], found["images"][..., :1])


@pytest.mark.any_backend
def test_they_follow_in_tf_data():
    layer = RandomAffine(rotation=0.2, additional_targets=KINDS)
    dataset = tf.data.Dataset.from_tensor_slices(data_of())
    found = next(dataset.batch(6).map(layer).as_numpy_iterator())
    np.testing.assert_allclose(found["right"], found["images"], atol=1e-3)
    assert (found["weights"] == found["segmentation_masks"]).all()


@pytest.mark.any_backend
def test_a_model_promises_their_shapes():
    layer = RandomCrop(7, 6, additional_targets=KINDS, dtype="mixed_float16")
    inputs = {
        "images": keras.Input((12, 10, 3)),
        "right": keras.Input((12, 10, 1)),
        "weights": keras.Input((12, 10)),
    }
    specs = layer(inputs)
    assert specs["right"].shape == (None, 7, 6, 1)
    assert specs["right"].dtype == "float16"
    assert specs["weights"].shape == (None, 7, 6)
    found = after(layer, data_of(), training=False)
    np.testing.assert_array_equal(found["right"], found["images"])
    np.testing.assert_array_equal(found["weights"], found["segmentation_masks"])


@pytest.mark.any_backend
@pytest.mark.parametrize("value", [IMAGES[:, 1:], IMAGES[0]])
def test_another_size_is_refused(value):
    layer = RandomAffine(additional_targets=["right"])
    with pytest.raises(ValueError, match="`right` in the inputs of"):
        layer({"images": IMAGES, "right": value})
    with pytest.raises(ValueError, match="'right' is missing"):
        Compose([RandomAffine()], additional_targets=["right"])(
            {"images": IMAGES, "left": IMAGES}
        )


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "targets", ["right", ["images"], {"right": "image"}, [], 1, ["labels"]]
)
def test_targets_must_be_keys_and_kinds(targets):
    with pytest.raises(ValueError, match="`additional_targets` of Random"):
        RandomAffine(additional_targets=targets)


@pytest.mark.any_backend
def test_a_container_says_what_its_layers_take():
    layer = RandomAffine(additional_targets=["right"])
    with pytest.raises(ValueError, match="`additional_targets` of Compose"):
        Compose([layer])
    Compose([layer], additional_targets=["right"])

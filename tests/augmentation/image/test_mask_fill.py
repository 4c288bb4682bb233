"""What masks show beyond the frame."""

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import (
    Compose,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomElastic,
    RandomPadCrop,
    RandomPerspective,
)

pytestmark = pytest.mark.any_backend

MASKS = np.ones((4, 16, 16), "uint8")
# Beyond the frame black, and the mask ignored.
FILL = {"fill_mode": "constant", "fill_value": 0, "mask_fill_value": 255}

MAKERS = {
    "affine": lambda **kw: RandomAffine(None, 0.3, 0, 0.3, seed=1, **kw),
    "perspective": lambda **kw: RandomPerspective(scale=0.4, seed=1, **kw),
    "crop": lambda **kw: RandomCrop(20, 24, pad_if_needed=True, seed=1, **kw),
    "pad_crop": lambda **kw: RandomPadCrop(4, seed=1, **kw),
    "elastic": lambda **kw: RandomElastic(100, 4, seed=1, **kw),
    "rand_augment": lambda **kw: RandAugment(
        operations=["rotate", "translate_x"], seed=1, **kw
    ),
    "compose": lambda **kw: Compose(
        [RandomAffine(None, 0.3, 0, 0.3, seed=1, **kw), RandomPadCrop(4, **kw)]
    ),
}


def filled(name, dtype="uint8", **options):
    """A white image and its mask, after the layer."""
    layer = MAKERS[name](**FILL | options)
    data = {
        "images": np.full((4, 16, 16, 1), 255, "float32"),
        "segmentation_masks": MASKS.astype(dtype),
    }
    after = layer(data, training=True)
    return (
        keras.ops.convert_to_numpy(after[key])
        for key in ("images", "segmentation_masks")
    )


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_masks_are_ignored_where_images_are_black(name, dtype):
    if name == "rand_augment" and dtype == "float32":
        dtype = "int64"
    images, masks = filled(name, dtype)
    assert masks.dtype == dtype
    assert set(np.unique(masks)) == {1, 255}
    # Images are mixed at the edge of the frame, masks are not.
    clear = (images[..., 0] < 1) | (images[..., 0] > 254)
    assert clear.mean() > 0.75
    assert ((images[..., 0] < 1) == (masks == 255))[clear].all()


@pytest.mark.parametrize("name", MAKERS)
def test_masks_of_class_0_unless_said_otherwise(name):
    _, masks = filled(name, mask_fill_value=0)
    assert set(np.unique(masks)) == {0, 1}


def test_layers_that_fill_masks_otherwise_are_no_single_warp():
    def layers(second):
        return Compose(
            [
                RandomAffine(None, 0, 0, (0.5, 0.5), **FILL),
                RandomAffine(
                    None,
                    0,
                    0,
                    (-0.5, -0.5),
                    **FILL | {"mask_fill_value": second},
                ),
            ]
        )

    assert len(layers(255).stages) == 1
    assert len(layers(7).stages) == 2


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("uint8", 256), ("uint8", -1), ("int8", 255), ("int32", 0.5)],
)
@pytest.mark.parametrize("name", ["affine", "pad_crop", "rand_augment"])
def test_a_class_that_masks_cannot_hold_is_refused(name, dtype, value):
    with pytest.raises(ValueError, match=f"numbers that {dtype}, the dtype"):
        filled(name, dtype, mask_fill_value=value)


@pytest.mark.any_backend
def test_the_value_must_be_a_number():
    with pytest.raises(ValueError, match="`mask_fill_value` of RandomAffine"):
        RandomAffine(mask_fill_value="ignore")

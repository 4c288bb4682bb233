import keras
import numpy as np
import pytest
import scipy.stats
from PIL import Image
from pillow_operations import operated

from keras_regopt.augmentation import AugMix

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (8, 20, 24, 3)).astype("uint8")


def to_numpy(x):
    return keras.ops.convert_to_numpy(x)


def drawn(layer, shape=IMAGES.shape):
    parameters = layer.sample(shape, layer._seeds.current())
    parameters = {k: to_numpy(v) for k, v in parameters.items()}
    names = np.array(layer._names)[parameters["operation"]]
    return parameters | {"names": names}


def test_blends_the_chains_that_pillow_makes_of_the_same_draws():
    # Pillow's rounding of bilinear warps, which are compared elsewhere, would
    # be spread by equalize.
    layer = AugMix(severity=5, interpolation="nearest", seed=0)
    again = AugMix.from_config(layer.get_config())
    result = to_numpy(layer(IMAGES, training=True))
    parameters = drawn(again)
    for i, image in enumerate(IMAGES):
        mixture = 0.0
        for chain in range(3):
            part = image
            for name, amount in zip(
                parameters["names"][i, chain],
                parameters["amount"][i, chain],
                strict=True,
            ):
                part = operated(
                    part, name, float(amount), 0, Image.Resampling.NEAREST
                )
            mixture = mixture + parameters["weights"][i, chain] * part
        share = parameters["blend"][i]
        expected = (1 - share) * image + share * mixture
        off = np.abs(result[i] - expected).max(axis=-1) > 4
        assert off.mean() <= 0.04, parameters["names"][i]


@pytest.mark.any_backend
def test_weights_are_drawn_from_dirichlet_and_beta():
    for alpha in (1.0, 0.4):
        layer = AugMix(alpha=alpha, mixture_width=4, seed=0)
        parameters = drawn(layer, (4000, 20, 24, 3))
        weights, share = parameters["weights"], parameters["blend"]
        assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
        # One coordinate of a Dirichlet vector is a beta variable.
        for values, other in (
            *((column, 3 * alpha) for column in weights.T),
            (share, alpha),
        ):
            cdf = scipy.stats.beta(alpha, other).cdf
            assert scipy.stats.kstest(values, cdf).pvalue > 1e-4


@pytest.mark.any_backend
def test_chains_are_one_to_three_deep_unless_told_otherwise():
    names = drawn(AugMix(seed=0), (2000, 20, 24, 3))["names"]
    depth = np.sum(names != "identity", axis=-1)
    # Where one operation is missing, so are those behind it.
    assert np.all(
        (names[..., :-1] != "identity") >= (names[..., 1:] != "identity")
    )
    assert np.all(np.abs(np.bincount(depth.ravel())[1:] / 6000 - 1 / 3) < 0.03)
    names = drawn(AugMix(chain_depth=4, seed=0), (9, 20, 24, 3))["names"]
    assert names.shape == (9, 3, 4)
    assert not np.any(names == "identity")


@pytest.mark.any_backend
def test_severity_bounds_the_amounts():
    layer = AugMix(severity=3, operations=["rotate", "posterize"], seed=0)
    parameters = drawn(layer, (2000, 20, 24, 3))
    names, amounts = parameters["names"], parameters["amount"]
    degrees = np.abs(amounts[names == "rotate"])
    assert 0.3 <= degrees.min() < 0.5
    assert 8.8 < degrees.max() <= 9
    # 4 less the whole part of 0.4 times a number from 0.1 to 3.
    bits = amounts[names == "posterize"]
    assert set(bits.tolist()) == {3, 4}
    assert abs(np.mean(bits == 3) - 0.5 / 2.9) < 0.03


@pytest.mark.any_backend
def test_boxes_and_masks_stay_where_they_are():
    masks = IMAGES[..., 0]
    boxes = np.ones((8, 1, 4))
    data = {
        "images": IMAGES,
        "segmentation_masks": masks,
        "bounding_boxes": {"boxes": boxes},
    }
    result = AugMix(seed=0)(data, training=True)
    assert result["segmentation_masks"] is masks
    assert result["bounding_boxes"]["boxes"] is boxes

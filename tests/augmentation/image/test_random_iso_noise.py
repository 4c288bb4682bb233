import colorsys

import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_regopt._random import normals_of
from keras_regopt.augmentation import RandomISONoise
from keras_regopt.augmentation._noise import bits, poissons_of


def images_of(*shape):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, shape)
    images[:, 0] = random.choice([0, 128, 255], images[:, 0].shape)
    images[:, 1] = images[:, 1, :, :1]
    return images.astype("uint8")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def reference(image, intensity, hue, grains, normals):
    """The documented formula, pixel by pixel, with Python's own colors."""
    pixels = image.reshape(-1, 3) / 255
    results = []
    for pixel, grain, normal in zip(pixels, grains, normals, strict=True):
        h, l, s = colorsys.rgb_to_hls(*pixel)  # noqa: E741
        h = (h + hue * normal) % 1
        l += min(intensity * grain, 1) * (1 - l)  # noqa: E741
        results.append(colorsys.hls_to_rgb(h, l, s))
    return 255 * np.reshape(results, image.shape)


@pytest.mark.any_case
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_follows_the_formula_on_the_same_draws(dtype):
    images = images_of(3, 9, 11, 3)
    layer = RandomISONoise(color_shift=(0.1, 0.5), intensity=(0.5, 1.0))
    drawn = layer.sample(images.shape, seed=3)
    layer.sample = lambda shape, seed: drawn
    result = numpy(layer(images.astype(dtype)))
    light = (images.max(axis=-1) / 255.0 + images.min(axis=-1) / 255.0) / 2
    intensity = numpy(drawn["intensity"])
    means = intensity * light.std(axis=(1, 2))
    grains = poissons_of(
        bits(drawn["light_key"], 99),
        ops.convert_to_tensor(means[:, None], "float32"),
    )
    assert numpy(grains).max() > 1
    normals = normals_of(bits(drawn["hue_key"], 99))
    tolerance = 0.51 if dtype == "uint8" else 2e-2
    for i, image in enumerate(images):
        expected = reference(
            image,
            intensity[i],
            numpy(drawn["hue"])[i],
            numpy(grains)[i],
            numpy(normals)[i],
        )
        assert abs(result[i] - expected).max() < tolerance


@pytest.mark.parametrize("mean", [0.0, 0.1, 1.0])
def test_counts_have_a_poisson_distribution(mean):
    drawn = bits(ops.convert_to_tensor(np.array([4, 7]), "int32"), 20000)
    counts = numpy(poissons_of(drawn, np.float32(mean))).astype(int)
    for k in range(6):
        share = stats.poisson.pmf(k, mean)
        # Five standard deviations.
        spread = 5 * np.sqrt(40000 * share * (1 - share))
        assert abs((counts == k).sum() - 40000 * share) <= spread


@pytest.mark.any_backend
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_without_hue_every_value_is_lit_up(channels):
    images = images_of(2, 20, 20, channels)
    result = numpy(RandomISONoise(intensity=0.5, seed=0)(images))
    wide = images.astype(float)
    steps = [wide + share * (255 - wide) for share in (0, 0.5, 1)]
    distance = np.min([abs(result - step) for step in steps], axis=0)
    assert distance.max() < 0.51
    # A pixel is lit up as a whole.
    lit = (result != images)[images.max(axis=-1) < 250]
    assert 0 < lit.any(axis=-1).mean() < 0.5
    assert (lit.any(axis=-1) == lit.all(axis=-1)).all()


@pytest.mark.any_backend
def test_no_intensity_changes_nothing():
    images = images_of(2, 9, 9, 3)
    result = numpy(RandomISONoise(intensity=0)(images))
    np.testing.assert_array_equal(result, images)


@pytest.mark.any_backend
def test_stays_within_another_value_range():
    images = images_of(2, 9, 9, 3) / np.float32(127.5) - 1
    layer = RandomISONoise(0.5, 1.0, value_range=(-1, 1), seed=0)
    result = numpy(layer(images))
    assert abs(result).max() <= 1
    assert abs(result - images).max() > 0.1


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"), [("color_shift", 1.5), ("intensity", (0.5, 0.1))]
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomISONoise"):
        RandomISONoise(**{name: value})

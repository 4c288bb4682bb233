"""Left and right change places where an image is seen in a mirror."""

import keras
import numpy as np
import pytest

from keras_regopt.augmentation import (
    Apply,
    Choice,
    Compose,
    RandomAffine,
    RandomPerspective,
)

pytestmark = pytest.mark.any_backend

IMAGES = np.zeros((32, 8, 10, 1), "float32")
# Nose, left and right hand, left and right foot, the last one hidden.
POINTS = np.array(
    [[5, 1, 1], [2, 3, 1], [8, 4, 1], [3, 7, 1], [7, 6, 0]], "float32"
)
PAIRS = [(1, 2), (3, 4)]
ORDER = [0, 2, 1, 4, 3]


def mirrored(points):
    """A horizontal flip, as the paper's hands would tell it."""
    flipped = points * [-1, 1, 1] + [10, 0, 0]
    return flipped[ORDER]


def after(layer, points=POINTS):
    points = np.repeat(points[None], len(IMAGES), axis=0)
    data = {"images": IMAGES, "keypoints": points}
    return keras.ops.convert_to_numpy(layer(data, training=True)["keypoints"])


def flip(way="horizontal", **options):
    return RandomAffine(
        way, 0, 0, 0, **{"flip_pairs": PAIRS, "seed": 0} | options
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda layer: layer,
        lambda layer: Compose([layer]),
        lambda layer: Choice([layer]),
        lambda layer: Apply(layer, rate=1.0),
    ],
)
@pytest.mark.parametrize("columns", [2, 3])
def test_a_flip_exchanges_the_pairs_with_what_is_seen_of_them(wrap, columns):
    points = POINTS[:, :columns]
    expected = mirrored(POINTS)[:, :columns]
    found = after(wrap(flip()), points)
    flipped = abs(found - expected).max(axis=(1, 2)) < 1e-3
    still = abs(found - points).max(axis=(1, 2)) < 1e-3
    assert (flipped ^ still).all()
    assert 5 < flipped.sum() < 27


def test_a_turn_by_half_is_no_mirror_and_an_upside_down_flip_is():
    turned = POINTS * [-1, -1, 1] + [10, 8, 0]
    half = RandomAffine(None, (0.5, 0.5), 0, 0, flip_pairs=PAIRS)
    np.testing.assert_allclose(after(half), [turned] * 32, atol=1e-3)
    upside_down = (POINTS * [1, -1, 1] + [0, 8, 0])[ORDER]
    ways = [POINTS, mirrored(POINTS), upside_down, turned]
    found = after(flip("both"))
    fits = [abs(found - way).max(axis=(1, 2)) < 1e-3 for way in ways]
    assert (np.sum(fits, axis=0) == 1).all()
    assert np.sum(fits, axis=1).min() > 1


def test_two_mirrors_show_things_as_they_are():
    both = Compose([flip(seed=1), flip(seed=2)])
    assert len(both.stages) == 1
    found = after(both)
    expected = mirrored(POINTS)
    flipped = abs(found - expected).max(axis=(1, 2)) < 1e-3
    still = abs(found - POINTS).max(axis=(1, 2)) < 1e-3
    assert (flipped ^ still).all()
    assert 5 < flipped.sum() < 27


def test_without_pairs_and_without_mirrors_all_keep_their_places():
    found = after(flip(flip_pairs=None))
    expected = POINTS * [-1, 1, 1] + [10, 0, 0]
    assert (abs(found - expected).max(axis=(1, 2)) < 1e-3).any()
    still = RandomPerspective(scale=0.2, flip_pairs=PAIRS, seed=0)
    assert (after(still)[:, 1, 0] < after(still)[:, 2, 0]).all()


@pytest.mark.any_backend
@pytest.mark.parametrize(
    "pairs",
    [1, "12", [1, 2], [(0, 1, 2)], [(0, 0)], [(0, 1), (1, 2)], [(-1, 0)]],
)
def test_pairs_must_be_pairs(pairs):
    with pytest.raises(ValueError, match="`flip_pairs` of RandomAffine"):
        RandomAffine(flip_pairs=pairs)


@pytest.mark.any_backend
def test_pairs_must_be_among_the_keypoints():
    with pytest.raises(ValueError, match="below that of the keypoints, 5"):
        after(flip(flip_pairs=[(4, 5)]))

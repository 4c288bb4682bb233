import numpy as np
import pytest
from keras import ops

from keras_regopt.augmentation import RandomSaltPepper

SHAPE = (6, 100, 60, 3)


def result_of(layer, dtype="uint8"):
    return ops.convert_to_numpy(layer(np.full(SHAPE, 100, dtype)))


def counts_of(result):
    """White pixels and black ones of each image."""
    white, black = (result == 255), (result == 0)
    assert (white | black | (result == 100)).all()
    for hit in (white, black):
        # All channels of a pixel or none.
        assert (hit.any(axis=-1) == hit.all(axis=-1)).all()
    return [hit[..., 0].sum(axis=(1, 2)) for hit in (white, black)]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_hits_the_given_fraction_of_the_pixels(dtype):
    layer = RandomSaltPepper(amount=0.2, salt=0.25, seed=0)
    white, black = counts_of(result_of(layer, dtype))
    for counts, share in ((white, 0.05), (black, 0.15)):
        # Five standard deviations.
        spread = np.sqrt(6000 * share * (1 - share))
        assert abs(counts - 6000 * share).max() < 5 * spread


@pytest.mark.any_backend
def test_every_image_has_an_amount_and_a_share_of_its_own():
    layer = RandomSaltPepper(amount=(0.1, 0.3), salt=(0.2, 0.6))
    drawn = layer.sample((2000, 4, 4, 3), seed=0)
    amounts = ops.convert_to_numpy(drawn["amount"])
    shares = ops.convert_to_numpy(drawn["salt"]) / amounts
    for values, low, high in ((amounts, 0.1, 0.3), (shares, 0.2, 0.6)):
        assert low <= values.min() < low + 0.01
        assert high - 0.01 < values.max() < high + 1e-6
    assert abs(np.corrcoef(amounts, shares)[0, 1]) < 5 / np.sqrt(2000)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("amount", "salt", "expected"), [(0, 1, 100), (1, 1, 255), (1, 0, 0)]
)
def test_none_or_all_may_be_hit(amount, salt, expected):
    layer = RandomSaltPepper(amount=amount, salt=salt)
    assert (result_of(layer) == expected).all()


@pytest.mark.any_backend
def test_black_and_white_are_the_ends_of_the_value_range():
    layer = RandomSaltPepper(amount=1, value_range=(-1, 1))
    images = np.zeros((2, 20, 20, 1), "float32")
    assert set(np.unique(ops.convert_to_numpy(layer(images)))) == {-1, 1}


@pytest.mark.any_backend
def test_places_are_even_and_no_two_images_share_them():
    layer = RandomSaltPepper(amount=0.5, salt=1, seed=3)
    hits = (result_of(layer) == 255)[..., 0]
    # Five standard deviations of a count of rows and of columns.
    assert abs(hits.sum(axis=2) - 30).max() < 5 * np.sqrt(60 / 4)
    assert abs(hits.sum(axis=1) - 50).max() < 5 * np.sqrt(100 / 4)
    likeness = np.corrcoef(hits.reshape(6, -1)) - np.eye(6)
    assert abs(likeness).max() < 5 / np.sqrt(6000)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("name", "value"),
    [("amount", 1.5), ("amount", (0.2, 0.1)), ("salt", -1), ("salt", "half")],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"`{name}` of RandomSaltPepper"):
        RandomSaltPepper(**{name: value})

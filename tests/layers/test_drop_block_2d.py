import keras
import numpy as np
import pytest

from keras_regopt.layers import DropBlock2D


def dropped(layer, shape):
    x = np.ones(shape, "float32")
    return keras.ops.convert_to_numpy(layer(x, training=True)) == 0


def is_union_of_blocks(mask, size):
    """Whether a 2D mask is a union of squares, by painting all that fit."""
    painted = np.zeros_like(mask)
    for i in range(mask.shape[0] - size + 1):
        for j in range(mask.shape[1] - size + 1):
            if mask[i : i + size, j : j + size].all():
                painted[i : i + size, j : j + size] = True
    return np.array_equal(painted, mask)


@pytest.mark.any_backend
@pytest.mark.parametrize("block_size", [1, 2, 3, 5])
def test_drops_squares_of_the_block_size(block_size):
    mask = dropped(DropBlock2D(0.2, block_size, seed=0), (4, 11, 9, 3))
    assert mask.any()
    assert not mask.all()
    for example in mask:
        for feature_map in np.moveaxis(example, -1, 0):
            assert is_union_of_blocks(feature_map, block_size)


@pytest.mark.any_backend
def test_draws_every_feature_map_by_itself():
    mask = dropped(DropBlock2D(0.2, 3, seed=0), (2, 16, 16, 8))
    maps = np.moveaxis(mask, -1, 1).reshape(16, -1)
    assert len(np.unique(maps, axis=0)) > 8


@pytest.mark.any_case
@pytest.mark.parametrize(("rate", "block_size"), [(0.1, 3), (0.3, 1), (0.2, 7)])
def test_drops_the_expected_part(rate, block_size):
    height, width, maps = 20, 16, 500
    layer = DropBlock2D(rate, block_size, seed=1)
    mask = dropped(layer, (maps // 5, height, width, 5))
    rows, columns = height - block_size + 1, width - block_size + 1
    gamma = rate / block_size**2 * height * width / (rows * columns)
    # A pixel stays if no seed of the squares that cover it is drawn.
    kept = 0
    for i in range(height):
        for j in range(width):
            above = min(i, rows - 1) - max(0, i - block_size + 1) + 1
            left = min(j, columns - 1) - max(0, j - block_size + 1) + 1
            kept += (1 - gamma) ** (above * left)
    expected = 1 - kept / (height * width)
    # The share of a map varies by at most this, so five deviations of a mean.
    tolerance = 5 * np.std(mask.mean(axis=(1, 2))) / np.sqrt(maps)
    assert mask.mean() == pytest.approx(expected, abs=tolerance)


@pytest.mark.any_backend
def test_keeps_the_sum_of_the_batch():
    x = np.ones((8, 14, 14, 4), "float32")
    y = keras.ops.convert_to_numpy(DropBlock2D(0.3, 5)(x, training=True))
    assert y.sum() == pytest.approx(x.sum(), rel=1e-4)


@pytest.mark.any_backend
def test_takes_channels_first_like_channels_last():
    last = dropped(DropBlock2D(0.2, 3, "channels_last", 0), (2, 12, 10, 4))
    first = dropped(DropBlock2D(0.2, 3, "channels_first", 0), (2, 4, 12, 10))
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), first)


@pytest.mark.any_backend
def test_a_block_is_no_larger_than_the_feature_map():
    mask = dropped(DropBlock2D(0.5, 7, seed=0), (64, 4, 6, 1))
    assert mask.any()
    for feature_map in mask[..., 0]:
        assert is_union_of_blocks(feature_map, 4)


@pytest.mark.any_backend
def test_takes_images_of_unknown_size():
    model = keras.Sequential(
        [keras.Input((None, 8, 3)), DropBlock2D(0.3, 4, seed=0)]
    )
    assert model.output_shape == (None, None, 8, 3)
    for height in (8, 12):
        x = np.ones((2, height, 8, 3), "float32")
        outputs = model(x, training=True)
        assert tuple(outputs.shape) == x.shape


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rate": 1.0}, "rate"),
        ({"block_size": 0}, "block_size"),
        ({"block_size": 2.5}, "block_size"),
        ({"data_format": "last"}, "data_format"),
        ({"seed": -1}, "seed"),
    ],
)
def test_refuses_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` of DropBlock2D must be"):
        DropBlock2D(**arguments)

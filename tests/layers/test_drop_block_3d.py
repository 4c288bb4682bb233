import itertools

import keras
import numpy as np
import pytest

from keras_regopt.layers import DropBlock3D


def dropped(layer, shape):
    x = np.ones(shape, "float32")
    return keras.ops.convert_to_numpy(layer(x, training=True)) == 0


def test_drops_cubes_of_the_block_size():
    block_size = 2
    mask = dropped(DropBlock3D(0.2, block_size, seed=0), (3, 7, 6, 5, 2))
    assert mask.any()
    assert not mask.all()
    painted = np.zeros_like(mask)
    corners = [range(side - block_size + 1) for side in (7, 6, 5)]
    for i, j, k in itertools.product(*corners):
        cube = (
            slice(None),
            slice(i, i + block_size),
            slice(j, j + block_size),
            slice(k, k + block_size),
        )
        whole = mask[cube].all(axis=(1, 2, 3), keepdims=True)
        painted[cube] |= whole
    np.testing.assert_array_equal(painted, mask)


@pytest.mark.any_backend
def test_drops_its_rate_where_cubes_hardly_overlap():
    rate = 0.01
    mask = dropped(DropBlock3D(rate, 3, seed=1), (100, 9, 9, 9, 5))
    shares = mask.mean(axis=(1, 2, 3)).ravel()
    tolerance = 5 * shares.std() / np.sqrt(shares.size)
    # Overlaps and edges take away a few percent of the rate.
    assert rate * 0.9 - tolerance < shares.mean() < rate + tolerance


@pytest.mark.any_backend
def test_takes_channels_first_like_channels_last():
    last = dropped(DropBlock3D(0.2, 2, "channels_last", 0), (2, 5, 6, 7, 3))
    first = dropped(DropBlock3D(0.2, 2, "channels_first", 0), (2, 3, 5, 6, 7))
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), first)


@pytest.mark.any_backend
def test_takes_volumes_of_unknown_size():
    model = keras.Sequential(
        [keras.Input((None, 6, None, 2)), DropBlock3D(0.3, 2, seed=0)]
    )
    x = np.ones((2, 4, 6, 5, 2), "float32")
    assert tuple(model(x, training=True).shape) == x.shape

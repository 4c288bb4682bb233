"""The order of tokens, computed without any layer."""

import keras
import numpy as np
import pytest

from keras_regopt.augmentation.text.functional import _order
from keras_regopt.augmentation.text.functional._draws import (
    token_bits,
    whole_numbers,
)

to_numpy = keras.ops.convert_to_numpy


def keys(count, seed=0):
    numbers = np.random.default_rng(seed).integers(-(2**31), 2**31, count)
    return keras.ops.convert_to_tensor(numbers.astype("int32"))


def marked(text):
    """Boolean rows from letters: `x` is true."""
    return keras.ops.convert_to_tensor(
        np.array([[letter == "x" for letter in row] for row in text])
    )


def swapped(free, fraction, seed=0, segments=None):
    source = _order.swapped(
        keras.ops.convert_to_tensor(free),
        keys(len(free), seed),
        fraction,
        None if segments is None else keras.ops.convert_to_tensor(segments),
    )
    return to_numpy(source)


def test_the_same_numbers_on_every_backend():
    index = keras.ops.convert_to_tensor(np.arange(3, dtype="int32")[None])
    key = keras.ops.convert_to_tensor(np.array([7, -1], "int32"))
    bits = to_numpy(token_bits(key, index, stream=1))
    assert bits.tolist() == EXPECTED_BITS
    numbers = to_numpy(whole_numbers(token_bits(key, index), 10))
    assert numbers.tolist() == EXPECTED_NUMBERS


EXPECTED_BITS = [
    [-531667146, 426337757, 1547584111],
    [826382550, -366634538, -818632008],
]
EXPECTED_NUMBERS = [[1, 9, 0], [5, 7, 7]]


@pytest.mark.any_backend
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_swaps_move_their_fraction_of_the_free_tokens(fraction):
    free = np.zeros((4000, 20), bool)
    free[:, 1:14] = True
    free[:, 5] = False
    source = swapped(free, fraction)
    moved = source != np.arange(20)
    assert not moved[~free].any()
    # Tokens move in pairs, so there are half as many independent draws.
    pairs = free.sum() / 2
    sigma = np.sqrt(fraction * (1 - fraction) / pairs)
    assert moved[free].mean() == pytest.approx(fraction, abs=4 * sigma)


@pytest.mark.any_backend
def test_swaps_are_pairs_of_free_tokens():
    free = np.random.default_rng(0).random((50, 16)) < 0.7
    source = swapped(free, 0.8)
    again = np.take_along_axis(source, source, axis=1)
    np.testing.assert_array_equal(again, np.tile(np.arange(16), (50, 1)))
    assert free[np.nonzero(source != np.arange(16))].all()


@pytest.mark.any_backend
def test_every_other_token_is_an_equally_likely_partner():
    free = np.ones((20_000, 6), bool)
    source = swapped(free, 0.8)
    for index in range(6):
        counts = np.bincount(source[:, index], minlength=6)
        others = np.delete(counts, index)
        # Five cells of probability 0.16.
        sigma = np.sqrt(20_000 * 0.16 * 0.84)
        assert np.abs(others - 3200).max() < 4.5 * sigma


@pytest.mark.any_backend
def test_pairs_of_one_text_are_independent():
    free = np.ones((20_000, 8), bool)
    source = swapped(free, 0.875)
    both = (source[:, 0] == 1) & (source[:, 2] == 3)
    given = (source[:, 0] == 1).sum()
    # Of the five others, 3 is one in five of those that are left.
    rate, sigma = 0.875 / 5, np.sqrt(0.175 * 0.825 / given)
    assert both.sum() / given == pytest.approx(rate, abs=6 * sigma)


@pytest.mark.any_backend
def test_swaps_stay_within_a_segment():
    free = np.ones((3000, 12), bool)
    segments = np.tile(np.repeat([0, 1], [8, 4]), (3000, 1))
    source = swapped(free, 0.2, segments=segments)
    moved = source != np.arange(12)
    np.testing.assert_array_equal(
        np.take_along_axis(segments, source, axis=1), segments
    )
    for part in (segments == 0, segments == 1):
        sigma = np.sqrt(0.2 * 0.8 / (part.sum() / 2))
        assert moved[part].mean() == pytest.approx(0.2, abs=4 * sigma)


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("gone", "padding", "expected"),
    [
        ("-x-x--", "----xx", [0, 2, 4, 5, -1, -1]),
        ("--x-x-", "xx----", [-1, -1, 0, 1, 3, 5]),
        ("xxxxxx", "------", [-1] * 6),
        ("------", "------", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_closes_up_towards_the_text(gone, padding, expected):
    source = _order.closed_up(marked([gone]), marked([padding]))
    assert to_numpy(source)[0].tolist() == expected


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("inserted", "padding", "expected", "new"),
    [
        ("x-x---", "----xx", [0, 0, 1, 2, 2, 3], "-x--x-"),
        ("x-xx--", "----xx", [0, 0, 1, 2, 2, 3], "-x--x-"),
        ("-x----", "----xx", [0, 1, 1, 2, 3, 4], "--x---"),
        ("---x-x", "xx----", [2, 3, 3, 4, 5, 5], "--x--x"),
        ("---x--", "xx----", [1, 2, 3, 3, 4, 5], "---x--"),
        ("x-x-x-", "------", [0, 1, 2, 3, 4, 5], "------"),
    ],
)
def test_widens_into_the_padding(inserted, padding, expected, new):
    source, is_new = _order.widened(marked([inserted]), marked([padding]))
    assert to_numpy(source)[0].tolist() == expected
    np.testing.assert_array_equal(to_numpy(is_new), to_numpy(marked([new])))


@pytest.mark.any_backend
def test_spares_one_of_all_that_were_to_go():
    free = marked(["xxx-", "xxx-", "----", "x---"])
    gone = marked(["xxx-", "x---", "----", "x---"])
    bits = token_bits(keys(4), keras.ops.arange(4, dtype="int32")[None])
    left = to_numpy(_order.spare_one(free, gone, bits))
    assert left.sum(axis=1).tolist() == [2, 1, 0, 0]


@pytest.mark.any_backend
def test_nothing_depends_on_the_padding_behind():
    free = np.zeros((30, 20), bool)
    free[:, 1:9] = True
    wide = swapped(free, 0.5)[:, :12]
    np.testing.assert_array_equal(wide, swapped(free[:, :12], 0.5))

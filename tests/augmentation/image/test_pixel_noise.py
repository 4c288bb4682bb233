"""The numbers that `_noise` computes for every pixel."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_regopt._random import uniforms_of
from keras_regopt.augmentation._noise import bits, keys_from


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def drawn(keys, count, each=1):
    keys = ops.convert_to_tensor(np.array(keys), "int32")
    return numpy(bits(keys, count, each))


def lowbias32(x, between=0):
    """The finalizer in Python's integers, with what comes in half-way."""
    x %= 2**32
    x = (x ^ x >> 16) * 0x7FEB352D % 2**32 ^ between
    x = (x ^ x >> 15) * 0x846CA68B % 2**32
    return x ^ x >> 16


def reference(key, place):
    """A Weyl sequence, the key before and, hashed itself, within."""
    return lowbias32(place * 0x9E3779B1 ^ key % 2**32, lowbias32(key))


@pytest.mark.parametrize("key", [0, 1, -1, 123456789, -(2**31)])
def test_integers_are_those_of_the_hash_on_every_backend(key):
    expected = [reference(key, place) for place in range(50)]
    result = drawn([key], 50)[0].astype("int64") % 2**32
    assert result.tolist() == expected
    shared = drawn([key], 150, each=3)[0].astype("int64") % 2**32
    assert shared.tolist() == np.repeat(expected, 3).tolist()


@pytest.mark.any_backend
def test_keys_use_all_the_bits_there_are():
    draws = np.array([0.0, 0.5, 0.99999994], "float32")
    keys = numpy(keys_from(draws, draws[::-1].copy()))
    assert keys.dtype == "int32"
    assert keys.tolist() == [-(2**31) + 65535, 2**15, 2**31 - 2**16]


# Keys that differ in one bit, in the last place, and by chance.
KEYS = [5, 4, 5 + 2**31 - 2**32, 6, 1005, 2**16 + 5, -5, 1234567890]


@pytest.mark.any_backend
def test_numbers_are_even_and_know_nothing_of_their_neighbors():
    numbers = numpy(uniforms_of(ops.convert_to_tensor(drawn(KEYS, 30000))))
    assert numbers.dtype == "float32"
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 1e-3
    cells = (numbers * 16).astype(int)
    pairs = [cells[:, :-lag] * 16 + cells[:, lag:] for lag in (1, 3, 100, 300)]
    pairs.append(cells[:-1] * 16 + cells[1:])
    for pair in pairs:
        counts = np.bincount(pair.ravel(), minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-4

"""The numbers that `_noise` computes for every pixel."""

import numpy as np
import pytest
from keras import ops
from scipy import special, stats

from keras_regopt.augmentation.image._noise import (
    bits,
    keys_from,
    normals_of,
    uniforms_of,
)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def drawn(keys, count, each=1):
    keys = ops.convert_to_tensor(np.array(keys), "int32")
    return numpy(bits(keys, count, each))


def reference(key, place):
    """The hash in Python's integers: lowbias32 of a Weyl sequence."""
    x = (place * 0x9E3779B1 ^ key) % 2**32
    x ^= x >> 16
    x = x * 0x7FEB352D % 2**32
    x ^= x >> 15
    x = x * 0x846CA68B % 2**32
    return x ^ x >> 16


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


@pytest.mark.any_backend
def test_normal_numbers_are_the_quantiles_of_their_integers():
    edge = np.array([0, 1, 2, 1000, 2**30, 2**31 - 2, 2**31 - 1])
    integers = np.concatenate([edge, edge - 2**31, drawn([7], 10**5)[0]])
    integers = integers.astype("int32")
    result = numpy(normals_of(ops.convert_to_tensor(integers)))
    assert result.dtype == "float32"
    tail = special.ndtri(((integers & 2**31 - 1) + 0.5) / 2**32)
    expected = np.where(integers < 0, -tail, tail)
    np.testing.assert_allclose(result, expected, atol=6e-5)

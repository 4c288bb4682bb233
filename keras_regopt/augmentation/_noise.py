"""Random numbers for every value, computed from one key for each element."""

from keras_regopt import _random
from keras_regopt._keras import data_ops as ops


def keys_from(high, low):
    """A key for each element.

    Args:
        high: Tensor of numbers from 0 to 1, of shape `(batch,)`.
        low: Another such. One draw would hold too few bits.

    Returns:
        Int32 tensor of shape `(batch,)`.
    """
    high = ops.cast(ops.floor(high * 2.0**16), "int32") - 2**15
    low = ops.cast(ops.floor(low * 2.0**16), "int32")
    return high * 2**16 + low


def bits(keys, count, repeats=1):
    """Integers, all equally likely, for the values of an element.

    Args:
        keys: What `keys_from` returned.
        count: How many values an element has.
        repeats: How many values in a row have one integer in common.

    Returns:
        Int32 tensor of shape `(batch, count)`.
    """
    index = ops.arange(count, dtype="int32")
    if repeats > 1:
        index = index // repeats
    keys = keys[:, None]
    return _random.hashed(index[None, :], keys, _random.mixed(keys))


def poissons_of(bits, mean):
    """From integers of `bits` to counts with a Poisson distribution.

    Args:
        bits: What `bits` returned.
        mean: Float32 tensor that broadcasts to it, of means from 0 to 1.

    Returns:
        Float32 tensor of whole numbers from 0 to 8.
    """
    draw = _random.uniforms_of(bits)
    chance = sum_of_chances = ops.exp(-mean)
    counts = 0.0
    # At a mean of 1, a count above 8 has a chance of one in a million.
    for count in range(1, 9):
        counts = counts + ops.cast(draw >= sum_of_chances, "float32")
        chance = chance * mean / count
        sum_of_chances = sum_of_chances + chance
    return counts

"""Random numbers for every pixel, computed from one key for each image.

A generator that fills a whole batch costs more than all else that a layer
does, and XLA's own takes a hundred times as long again on a CPU. Here a number
is a hash of its place and of the key of its image. Compilers compute it where
it is used, many at once, and no noise is ever stored. The same keys give the
same numbers on every backend.
"""

from keras_regopt._keras import data_ops as ops


def keys_from(high, low):
    """A key for each image.

    Args:
        high: Tensor of numbers from 0 to 1, of shape `(batch,)`.
        low: Another such. One draw would hold too few bits.

    Returns:
        Int32 tensor of shape `(batch,)`.
    """
    high = ops.cast(ops.floor(high * 2.0**16), "int32") - 2**15
    low = ops.cast(ops.floor(low * 2.0**16), "int32")
    return high * 2**16 + low


def bits(keys, count, each=1):
    """Integers, all equally likely, for the places of an image.

    Args:
        keys: What `keys_from` returned.
        count: How many places an image has.
        each: How many places in a row share one integer.

    Returns:
        Int32 tensor of shape `(batch, count)`.
    """
    place = ops.arange(count, dtype="int32")
    if each > 1:
        place = place // each
    # Spread out before the key comes in: otherwise two images whose keys
    # differ in a few bits would have the same noise in another order.
    place = _times(place, 0x9E3779B1)
    mixed = _folded(ops.bitwise_xor(place[None, :], keys[:, None]), 16)
    mixed = _folded(_times(mixed, 0x7FEB352D), 15)
    return _folded(_times(mixed, 0x846CA68B), 16)


def uniforms_of(bits):
    """From integers of `bits` to float32 numbers from 0 up to, not with, 1."""
    # As many bits as a float holds.
    return ops.cast(_shifted(bits, 8), "float32") * 2.0**-24


def normals_of(bits):
    """From integers of `bits` to float32 numbers with a normal distribution.

    The error of the quantile is below 6e-5 for every integer.
    """
    # The last 31 bits are the distance to the nearer end of the distribution,
    # the first is the end. In the eighth root of that probability the
    # quantile is smooth enough for one fraction of polynomials, which needs
    # neither a logarithm nor a case for the tails.
    tail = ops.cast(ops.bitwise_and(bits, 2**31 - 1), "float32") + 0.5
    root = ops.sqrt(ops.sqrt(ops.sqrt(tail * 2.0**-32)))
    sign = ops.where(bits < 0, -1.0, 1.0)
    above = sign * _polynomial(NUMERATOR, root)
    return above / _polynomial(DENOMINATOR, root)


def poissons_of(bits, mean):
    """From integers of `bits` to counts with a Poisson distribution.

    Args:
        bits: What `bits` returned.
        mean: Float32 tensor that broadcasts to it, of means from 0 to 1.

    Returns:
        Float32 tensor of whole numbers from 0 to 8.
    """
    draw = uniforms_of(bits)
    chance = sum_of_chances = ops.exp(-mean)
    counts = 0.0
    # At a mean of 1, a count above 8 has a chance of one in a million.
    for count in range(1, 9):
        counts = counts + ops.cast(draw >= sum_of_chances, "float32")
        chance = chance * mean / count
        sum_of_chances = sum_of_chances + chance
    return counts


# From the highest power down; a minimax fit to SciPy's `ndtri(root ** 8)` for
# probabilities from 2 ** -33 to 1 / 2.
NUMERATOR = (
    283.2908413665089,
    -917.7422336641114,
    732.3533433429039,
    133.31482052967885,
    -220.96880293176258,
    -8.94578010932547,
)
DENOMINATOR = (
    102.91971001475918,
    -201.30706540406692,
    60.34029658624189,
    37.6692052716285,
    1.0,
)


def _polynomial(coefficients, x):
    result = coefficients[0]
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


def _times(x, factor):
    """A product modulo 2 ** 32, the factor given without a sign."""
    return x * (factor - 2**32 if factor >= 2**31 else factor)


def _folded(x, count):
    return ops.bitwise_xor(x, _shifted(x, count))


def _shifted(x, count):
    """A shift to the right that fills in zeros, as for unsigned integers."""
    return ops.bitwise_and(ops.right_shift(x, count), 2 ** (32 - count) - 1)

"""The one generator behind all that is random: a hash of positions and keys.

A number is a hash of its position in a tensor, of a seed and of a step. There
is nothing to store but these two: compilers compute a number where it is used,
many at once, and compute it again in the backward pass. Every backend gets the
same numbers.

    key = next_key(layer.seed_generator)
    y = dropped(x, key, rate)

Integers are int32 throughout, since torch has no others that count modulo
2 ** 32, and stand for unsigned ones.
"""

import threading

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt._keras import in_tf_graph

_lock = threading.RLock()

# Odd, near 2 ** 32 divided by the golden ratio: spreads positions out.
WEYL = 0x9E3779B1
# The multipliers of the finalizer lowbias32.
FIRST, SECOND = 0x7FEB352D, 0x846CA68B
# Told apart from neighboring seeds: any large odd number.
_REPLICA = 0x632BE5AB
# Digits of the square roots of 2, 3, 5 and 7, nothing up the sleeve.
_ROUNDS = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A)


class Counter(keras.random.SeedGenerator):
    """A seed and a step: the state of a layer that draws.

    It is a variable like that of any seed generator of Keras, but threads that
    call eagerly do not read one step twice.

    Args:
        seed: An integer of any size, or `None` for a random one. Beyond 32 bits
            it is folded to them.
    """

    def __init__(self, seed=None, **kwargs):
        if seed is not None:
            seed = folded_seed(seed)
            if keras.backend.backend() == "torch":
                # The state is an int32 there.
                seed = signed(seed)
        super().__init__(seed, **kwargs)

    def next(self, ordered=True):
        if in_tf_graph():
            # Replicas hand over to one another while they trace, and one that
            # holds a lock would never get its next turn.
            return super().next(ordered)
        with _lock:
            return super().next(ordered)


def folded_seed(seed):
    """A seed of at most 32 bits; a smaller one is its own."""
    result = 0
    while seed:
        result = mixed_number(result) ^ (seed & 0xFFFFFFFF)
        seed >>= 32
    return result


def next_key(generator):
    """Counts a step and returns the key of its draws.

    Args:
        generator: A `keras.random.SeedGenerator`, best a `Counter`.

    Returns:
        Int32 tensor of two numbers, other ones in every replica.
    """
    return key_of(generator.next())


def key_of(state):
    """The key for a state that a generator has handed out already."""
    key = ops.cast(state, "int32")
    replica = _replica()
    if replica is None:
        return key
    return key + _times(ops.cast([replica, 0], "int32"), _REPLICA)


def words(key):
    """The two words that are hashed with each position.

    Keys that differ in a bit give words that differ in about half of theirs,
    and no two keys give the same words.

    Args:
        key: What `next_key` returned, or a pair of Python integers.
    """
    left, right = key[0], key[1]
    plain = isinstance(left, int)
    mix = mixed_number if plain else mixed
    # A Feistel network, which can be undone and so loses nothing.
    for constant in _ROUNDS:
        left, right = right, left ^ mix(right + signed(constant))
    if plain:
        return left & 0xFFFFFFFF, right & 0xFFFFFFFF
    return left, right


def hashed(position, first, second):
    """Integers, all equally likely, for positions.

    Args:
        position: Int32 tensor, such as `ops.arange(count, dtype="int32")`.
        first: Int32 tensor that broadcasts to it, or one number.
        second: Another such.

    Returns:
        Int32 tensor.
    """
    # Spread out before the key comes in: otherwise keys that differ in a few
    # bits would draw the same in another order.
    x = ops.bitwise_xor(_times(position, WEYL), first)
    x = _times(_shift_in(x, 16), FIRST)
    # In the middle, so that the numbers of two keys are no reordering of one
    # another.
    x = ops.bitwise_xor(x, second)
    return _shift_in(_times(_shift_in(x, 15), SECOND), 16)


def mixed(x):
    """The finalizer alone, of an int32 tensor."""
    x = _times(_shift_in(x, 16), FIRST)
    return _shift_in(_times(_shift_in(x, 15), SECOND), 16)


def mixed_number(x):
    """The same of a Python integer, as one from 0 to 2 ** 32 - 1."""
    x &= 0xFFFFFFFF
    x = (x ^ x >> 16) * FIRST & 0xFFFFFFFF
    x = (x ^ x >> 15) * SECOND & 0xFFFFFFFF
    return x ^ x >> 16


def uniforms_of(bits):
    """From integers of `hashed` to float32 numbers from 0 to, not with, 1."""
    # As many bits as a float holds.
    return ops.cast(_shifted(bits, 8), "float32") * 2.0**-24


def normals_of(bits):
    """From integers of `hashed` to float32 numbers with a normal distribution.

    The error of the quantile is below 6e-5 for every integer.
    """
    # The sign says which end of the distribution is the nearer, the size how
    # far it is. In the eighth root of that probability the quantile is smooth
    # enough for one fraction of polynomials, which needs neither a logarithm
    # nor a case for the tails.
    signed_tail = ops.cast(bits, "float32")
    root = ops.sqrt(ops.sqrt(ops.sqrt(ops.abs(signed_tail) + 0.5))) * 2.0**-4
    above = _polynomial(NUMERATOR, root) / _polynomial(DENOMINATOR, root)
    return ops.where(signed_tail < 0, above, -above)


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


def signed(number):
    """A number from 0 to 2 ** 32 - 1 as the int32 of the same bits."""
    return number - 2**32 if number >= 2**31 else number


def _times(x, factor):
    """A product modulo 2 ** 32, the factor given without a sign."""
    return x * signed(factor)


def _shift_in(x, count):
    return ops.bitwise_xor(x, _shifted(x, count))


def _shifted(x, count):
    """A shift to the right that fills in zeros, as for unsigned integers."""
    return ops.bitwise_and(ops.right_shift(x, count), 2 ** (32 - count) - 1)


def _replica():
    """The number of this replica, or `None` where there are no others."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return None
        return context.replica_id_in_sync_group
    if backend == "torch":
        import torch

        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank()
    # JAX's processes see one batch, whose positions go on.
    return None

"""Random numbers for every token, computed from one key for each text.

A number depends on the key of the text, on the index of the token and on
nothing else: not on the other texts, nor on the padding behind this one.
"""

from keras_regopt import _random
from keras_regopt._keras import data_ops as ops

# Odd and large: keys of neighbouring streams differ in many bits.
_STREAM = 0xD1B54A35
_LARGEST = 2**31 - 1


def token_bits(keys, index, stream=0):
    """Integers, all equally likely, for the tokens of texts.

    Args:
        keys: Int32 tensor of shape `(batch,)`, a key for each text.
        index: Int32 tensor that broadcasts to `(batch, length)`: the index of
            each token. It may be negative.
        stream: Number of the stream, from 0 on. Draws of one index in two
            streams are independent.

    Returns:
        Int32 tensor.
    """
    shift = _random.signed(stream * _STREAM & 0xFFFFFFFF)
    keys = _random.mixed(keys[:, None] + shift)
    return _random.hashed(index, keys, _random.mixed(keys))


def indices(length):
    """The indices of tokens, of shape `(1, length)`."""
    return ops.arange(length, dtype="int32")[None, :]


def happens(bits, probability):
    """Whether an event of a probability happens, for each token.

    Args:
        bits: What `token_bits` returned.
        probability: A number from 0 to 1, or a float32 tensor that
            broadcasts.

    Returns:
        Boolean tensor.
    """
    return _random.uniforms_of(bits) < probability


def whole_numbers(bits, count):
    """Whole numbers from 0 to `count - 1`, all equally likely.

    Args:
        bits: What `token_bits` returned.
        count: An integer of at least 1, or an int32 tensor of such.

    Returns:
        Int32 tensor. A number is more likely than another by less than
        `count / 2 ** 31`.
    """
    return ops.mod(ops.bitwise_and(bits, _LARGEST), count)

"""Which token each index takes: the order of a text, changed.

All functions compute a `source`: for each index of the result the index of the
token that stands there, or -1 for padding that is new. A layer carries it out
for ids, masks and labels alike.
"""

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.text.functional._draws import (
    happens,
    indices,
    token_bits,
    whole_numbers,
)

# What `_partners` sorts by has 14 bits, and what is behind them 16.
_MOST_TOKENS = 2**16
_LAST_DRAW = 2**14


def padded_in_front(padding):
    """Whether the padding of each text is in front of it: `(batch, 1)`."""
    return ops.logical_and(padding[:, :1], ops.logical_not(padding[:, -1:]))


def closed_up(gone, padding):
    """Closes the gaps that tokens leave; new padding goes to the old.

    Args:
        gone: Boolean tensor of shape `(batch, length)`: what leaves.
        padding: Boolean tensor of that shape: what is padding.

    Returns:
        The source, of that shape.
    """
    length = ops.shape(gone)[1]
    to = ops.where(padded_in_front(padding), -length, length)
    key = indices(length) + ops.where(gone, to, 0)
    key = ops.sort(key, axis=1)
    inside = ops.logical_and(key >= 0, key < length)
    return ops.where(inside, key, -1)


def widened(inserted, padding):
    """Makes room for a new token behind some, in place of padding.

    Args:
        inserted: Boolean tensor of shape `(batch, length)`: behind which
            tokens there is to be a new one.
        padding: Boolean tensor of that shape: what is padding.

    Returns:
        The pair of the source, of that shape, in which a new token has that
        of the token before it, and a boolean tensor that tells the new ones.
        What finds no room is not inserted.
    """
    length = ops.shape(inserted)[1]
    padding_count = _counts(padding)
    inserted = ops.logical_and(
        inserted, _counts(inserted) <= padding_count[:, -1:]
    )
    room = _counts(inserted)[:, -1:]
    # Of the padding, that which is farthest from the text.
    first = ops.where(padded_in_front(padding), 0, padding_count[:, -1:] - room)
    leaves = ops.logical_and(padding, padding_count > first)
    leaves = ops.logical_and(leaves, padding_count <= first + room)
    last = 2 * length
    old = ops.where(leaves, last, 2 * indices(length))
    new = ops.where(inserted, 2 * indices(length) + 1, last)
    key = ops.sort(ops.concatenate([old, new], axis=1), axis=1)
    key = key[:, :length]
    return key // 2, ops.mod(key, 2) == 1


def swapped(free, keys, fraction, segments=None):
    """Pairs of tokens change places.

    Each free token has one partner, all being equally likely, and the pair
    changes places with a probability by which, on average, `fraction` of the
    free tokens move. Texts may have up to 46,340 tokens.

    Args:
        free: Boolean tensor of shape `(batch, length)`: what may move.
        keys: Int32 tensor of shape `(batch,)`.
        fraction: Number from 0 to 1.
        segments: Integer tensor of the shape of `free`; tokens of two
            segments never change places. Defaults to `None`.

    Returns:
        The source, of the shape of `free`.
    """
    length = ops.shape(free)[1]
    index = indices(length)
    partner, pair, valid = _partners(free, token_bits(keys, index))
    count = _counts(free)[:, -1:]
    # Of an odd number of tokens, one has no partner.
    paired = count - ops.mod(count, 2)
    chance = _quotient(count, paired)
    if segments is not None:
        other = ops.take_along_axis(segments, partner, axis=1)
        valid = ops.logical_and(valid, segments == other)
        same = _of_the_same(segments, free) - 1
        chance = chance * _quotient(count - 1, same)
    # One draw for both: by the number of the pair.
    coin = happens(token_bits(keys, pair, stream=1), fraction * chance)
    return ops.where(ops.logical_and(valid, coin), partner, index)


def random_index(free, keys, stream):
    """For each token the index of another, which may not be free."""
    length = ops.shape(free)[1]
    first, count = _region(free)
    bits = token_bits(keys, indices(length), stream)
    return ops.minimum(first + whole_numbers(bits, count), length - 1)


def ranks(free):
    """How many free tokens are in front of each, and how many there are.

    Returns:
        The pair of int32 tensors, of the shapes `(batch, length)` and
        `(batch, 1)`.
    """
    counts = _counts(free)
    return counts - ops.cast(free, "int32"), counts[:, -1:]


def spare_one(free, gone, bits):
    """Lets one free token stay, where all were to go."""
    stays = ops.logical_and(free, ops.logical_not(gone))
    none = ops.logical_not(ops.any(stays, axis=1, keepdims=True))
    lowest = -(2**31)
    draws = ops.where(free, bits, lowest)
    best = draws == ops.max(draws, axis=1, keepdims=True)
    return ops.logical_and(gone, ops.logical_not(ops.logical_and(none, best)))


def _partners(free, bits):
    """Pairs of free tokens: those that a random order puts side by side.

    Sorted are integers that hold what they are sorted by, and behind that an
    index, which is several times as fast as to ask for the order.

    Returns:
        The indices of the partners, the numbers of the pairs, and whether a
        token has a partner.
    """
    length = ops.shape(free)[1]
    index = indices(length)
    draws = ops.bitwise_and(bits, (_LAST_DRAW - 1) * _MOST_TOKENS)
    draws = ops.where(free, draws, _LAST_DRAW * _MOST_TOKENS)
    order = ops.sort(draws + index, axis=1)
    order = ops.bitwise_and(order, _MOST_TOKENS - 1)
    # The inverse: where in that order each token is.
    rank = ops.sort(order * length + index, axis=1) - index * length
    partner = ops.bitwise_xor(rank, 1)
    count = _counts(free)[:, -1:]
    valid = ops.logical_and(free, partner < count)
    partner = ops.take_along_axis(
        order, ops.minimum(partner, length - 1), axis=1
    )
    return partner, rank // 2, valid


def _quotient(first, second):
    """Of two integers; the second is at least 1."""
    second = ops.cast(ops.maximum(second, 1), "float32")
    return ops.cast(first, "float32") / second


def _region(free):
    """Where the free tokens begin, and from there to the last of them."""
    length = ops.shape(free)[1]
    index = indices(length)
    first = ops.min(ops.where(free, index, length), axis=1, keepdims=True)
    last = ops.max(ops.where(free, index, -1), axis=1, keepdims=True)
    return ops.minimum(first, length - 1), ops.maximum(last - first + 1, 1)


def _counts(marked):
    """How many are marked up to each, itself included."""
    return ops.cumsum(ops.cast(marked, "int32"), axis=1)


def _of_the_same(segments, free):
    """How many free tokens the segment of each token has."""
    same = segments[:, :, None] == segments[:, None, :]
    same = ops.logical_and(same, free[:, None, :])
    return ops.sum(ops.cast(same, "int32"), axis=2)

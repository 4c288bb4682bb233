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

# Rounds of the permutation of `partners`.
_ROUNDS = 4


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
    free tokens move.

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
    first, count = _region(free)
    partner, pair = _partners(index - first, count, keys)
    partner = ops.clip(partner + first, 0, length - 1)
    valid = ops.logical_and(free, ops.take_along_axis(free, partner, axis=1))
    valid = ops.logical_and(valid, partner != index)
    if segments is None:
        candidates = _counts(free)[:, -1:]
    else:
        other = ops.take_along_axis(segments, partner, axis=1)
        valid = ops.logical_and(valid, segments == other)
        candidates = _of_the_same(segments, free)
    # How many partners a token could have, of those that it is given.
    chance = ops.cast(count, "float32") / ops.cast(
        ops.maximum(candidates - 1, 1), "float32"
    )
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


def _partners(rank, count, keys):
    """Pairs of ranks below `count`, and one number for both of a pair.

    A permutation takes the ranks to where the partner of `x` is
    `total - x`, and back. It is made of such pairs itself (the swap-or-not
    shuffle of Hoang, Morris and Rogaway 2012), so it needs no sorting.
    """
    for turn in range(_ROUNDS):
        rank = _shuffled(rank, count, keys, turn)
    partner = _mirrored(rank, count, keys, _ROUNDS)
    pair = ops.maximum(rank, partner)
    for turn in reversed(range(_ROUNDS)):
        partner = _shuffled(partner, count, keys, turn)
    return partner, pair


def _shuffled(rank, count, keys, turn):
    """Half of all pairs of one turn change places; its own inverse."""
    mirror = _mirrored(rank, count, keys, turn)
    bits = token_bits(keys, ops.maximum(rank, mirror), stream=2 + turn)
    return ops.where(bits < 0, mirror, rank)


def _mirrored(rank, count, keys, turn):
    """`total - rank`, for a `total` drawn for each text."""
    bits = token_bits(keys, ops.full((1, 1), -1 - turn, "int32"))
    return ops.mod(whole_numbers(bits, count) - rank, count)


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

"""Tables of a vocabulary: synonyms, and probabilities of its ids."""

import numpy as np

from keras_regopt._keras import data_ops as ops
from keras_regopt._random import uniforms_of
from keras_regopt.augmentation.text.functional._draws import whole_numbers


def alias_table(weights):
    """Draws from any distribution in one step, by Walker's alias method.

    Args:
        weights: NumPy array of shape `(count,)` of numbers >= 0, not all
            zero: how likely each index is.

    Returns:
        The pair of a float32 array of limits and an int32 array of aliases,
        for `drawn`.
    """
    count = len(weights)
    scaled = np.asarray(weights, "float64") * (count / np.sum(weights))
    limits, aliases = np.ones(count), np.arange(count)
    small = list(np.flatnonzero(scaled < 1))
    large = list(np.flatnonzero(scaled >= 1))
    while small and large:
        low, high = small.pop(), large[-1]
        limits[low], aliases[low] = scaled[low], high
        scaled[high] -= 1 - scaled[low]
        if scaled[high] < 1:
            small.append(large.pop())
    # What rounding has left over is full; nothing fills what has no weight.
    fullest = int(np.argmax(weights))
    for index in small:
        if not scaled[index] > 0.5:
            limits[index], aliases[index] = 0, fullest
    return limits.astype("float32"), aliases.astype("int32")


def drawn(index_bits, coin_bits, limits, aliases):
    """Indices with the probabilities of an `alias_table`.

    Args:
        index_bits: What `token_bits` returned.
        coin_bits: The same of another stream.
        limits: Float32 tensor of shape `(count,)`.
        aliases: Int32 tensor of that shape.

    Returns:
        Int32 tensor of the shape of the bits.
    """
    index = whole_numbers(index_bits, aliases.shape[0])
    coin = uniforms_of(coin_bits)
    own = coin < ops.take(limits, index, axis=0)
    return ops.where(own, index, ops.take(aliases, index, axis=0))


def compact_rows(table):
    """Moves the entries below 0 of each row behind the others.

    Args:
        table: Integer NumPy array of shape `(vocabulary, count)`.

    Returns:
        The pair of the table and of an int32 array of the number of entries
        of each row that count.
    """
    order = np.argsort(table < 0, axis=1, kind="stable")
    rows = np.take_along_axis(table, order, axis=1)
    return rows.astype("int32"), np.sum(table >= 0, axis=1).astype("int32")


def synonyms(ids, bits, table, counts):
    """One of the synonyms of each id, or itself if it has none.

    Args:
        ids: Int32 tensor of shape `(batch, length)`.
        bits: What `token_bits` returned, of that shape.
        table: Int32 tensor of shape `(vocabulary, count)`.
        counts: Int32 tensor of shape `(vocabulary,)`.

    Returns:
        The pair of an int32 tensor and a boolean one, which tells the ids
        that have synonyms. Those beyond the table have none.
    """
    vocabulary, width = table.shape
    known = ops.logical_and(ids >= 0, ids < vocabulary)
    row = ops.where(known, ids, 0)
    count = ops.where(known, ops.take(counts, row, axis=0), 0)
    column = whole_numbers(bits, ops.maximum(count, 1))
    entries = ops.take(ops.reshape(table, (-1,)), row * width + column, axis=0)
    return ops.where(count > 0, entries, ids), count > 0

"""Random numbers for every word, and which words of a text they choose."""

import dataclasses
from typing import Any

from keras_regopt import _random

# How far apart the numbers of two streams are: more words has no text.
_STREAM = 2**20


def word_uniforms(words, keys, stream):
    """Numbers from 0 to 1, one a word, that hang on its text's key alone.

    Args:
        words: `Words`.
        keys: Int32 tensor of shape `(batch,)`.
        stream: A number from 0 to 2047 that tells draws of one text apart.

    Returns:
        Float32 tensor of shape `(total,)`.
    """
    return _random.uniforms_of(_bits(words, keys, stream))


@dataclasses.dataclass(frozen=True)
class Choice:
    """Some words of each text, in random order.

    Attributes:
        chosen: Boolean tensor of shape `(total,)`.
        rank: Int32 tensor like it: the random order of the words of a text,
            from 0, the chosen ones first.
        order: Int32 tensor like it: at the flat place of a text's first word
            and `rank` behind it, the flat place of the word of that rank.
        counts: Int32 tensor of shape `(batch,)`: how many are chosen.
    """

    chosen: Any
    rank: Any
    order: Any
    counts: Any


def choose(words, keys, stream, candidates, counts):
    """Chooses words.

    Args:
        words: `Words`.
        keys: As `word_uniforms` gets them.
        stream: Likewise.
        candidates: Boolean tensor of shape `(total,)`: which can be chosen.
        counts: Int32 tensor of shape `(batch,)`: how many of each text are
            chosen, if it has as many.

    Returns:
        A `Choice`.
    """
    import tensorflow as tf

    bits = tf.cast(_bits(words, keys, stream), "int64") + 2**31
    behind = tf.cast(tf.logical_not(candidates), "int64") * 2**32
    order = tf.argsort(tf.cast(words.row, "int64") * 2**33 + behind + bits)
    rank = tf.math.invert_permutation(order) - words.of_text(words.starts)
    counts = tf.minimum(counts, words.sums(candidates))
    chosen = rank < words.of_text(counts)
    return Choice(chosen, rank, order, counts)


def amount(number, share, draw, minimum=0):
    """How many of a number a share is, rounded at random so that it is true.

    Args:
        number: Int32 tensor of shape `(batch,)`.
        share: Float32 tensor like it, from 0 to 1.
        draw: Float32 tensor like it, of numbers from 0 to 1.
        minimum: How many there are at least, if there are as many and the
            share is not 0.

    Returns:
        Int32 tensor like `number`.
    """
    import tensorflow as tf

    exact = share * tf.cast(number, "float32")
    count = tf.cast(tf.floor(exact + draw), "int32")
    minimum = minimum * tf.cast(share > 0, "int32")
    return tf.minimum(tf.maximum(count, minimum), number)


def below(draw, count):
    """Whole numbers from 0 to below a count, from numbers from 0 to 1."""
    import tensorflow as tf

    count = tf.cast(count, "int32")
    number = tf.cast(draw * tf.cast(count, "float32"), "int32")
    # Where the product was rounded up.
    return tf.maximum(tf.minimum(number, count - 1), 0)


def _bits(words, keys, stream):
    keys = words.of_text(keys)
    position = words.place + stream * _STREAM
    return _random.hashed(position, keys, _random.mixed(keys))

"""Spans of neighbouring tokens, all drawn at once."""

import math

from keras_regopt._keras import data_ops as ops
from keras_regopt._random import uniforms_of
from keras_regopt.augmentation.text.functional._draws import (
    happens,
    indices,
    token_bits,
)


def covered(keys, length, fraction, chances, streams=(0, 1)):
    """Which units random spans cover, each with the same probability.

    At each unit, those in front of the first included, a span begins with a
    probability by which `fraction` of the units are covered. Spans may
    overlap.

    Args:
        keys: Int32 tensor of shape `(batch,)`.
        length: How many units there are.
        fraction: Number from 0 to 1.
        chances: Sequence of the probabilities that a span is longer than 0,
            1, 2, ... units, from 1 down.
        streams: The streams of the two draws.

    Returns:
        Boolean tensor of shape `(batch, length)`.
    """
    before = len(chances) - 1
    # Of the units in front, spans reach into the text.
    index = indices(length + before) - before
    rate = start_rate(fraction, chances)
    starts = happens(token_bits(keys, index, streams[0]), rate)
    if not before:
        return starts
    draw = uniforms_of(token_bits(keys, index, streams[1]))
    result = starts[:, before:]
    for reach in range(1, len(chances)):
        first = before - reach
        reaches = ops.logical_and(starts, draw < chances[reach])
        reaches = reaches[:, first : first + length]
        result = ops.logical_or(result, reaches)
    return result


def start_rate(fraction, chances):
    """The rate at which spans begin so that they cover a fraction.

    A unit stays free if none of the spans that could reach it begins:

        1 - fraction = prod(1 - rate * chance for chance in chances).

    Args:
        fraction: Number from 0 to 1.
        chances: See `covered`.

    Returns:
        A float from 0 to 1.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        free = math.prod(1 - rate * chance for chance in chances)
        low, high = (rate, high) if 1 - free < fraction else (low, rate)
    return high


def geometric_chances(mean, longest):
    """The probabilities that spans exceed 0, 1, 2, ... units.

    Their lengths have a geometric distribution, as far as the longest.

    Args:
        mean: Mean length of spans that could be of any length, at least 1.
        longest: The longest span, at least 1.

    Returns:
        A list of `longest` floats.
    """
    going_on = 1 - 1 / mean
    # Lengths from 1 to the longest, the rest of the distribution left out.
    total = 1 - going_on**longest
    return [
        (going_on**reach - going_on**longest) / total if going_on else 1.0
        for reach in range(longest if going_on else 1)
    ]


def word_numbers(starts):
    """The number of the word that each token belongs to, from 0 on.

    Args:
        starts: Boolean tensor of shape `(batch, length)`: whether a token
            begins a word.

    Returns:
        Int32 tensor of that shape; tokens in front of the first word belong
        to it.
    """
    return ops.maximum(ops.cumsum(ops.cast(starts, "int32"), axis=1) - 1, 0)

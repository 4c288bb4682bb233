"""Spans of a random size at a random place."""

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation.audio.functional._times import fades

# A share of a length that is a whole number but for rounding is that number.
_ROUNDING = 1e-3


def sizes(amount, draw):
    """Shares of the range that an argument stands for.

    Args:
        amount: A number, which is the largest share, or a pair of the
            smallest and the largest.
        draw: Tensor of numbers from 0 to 1.

    Returns:
        A tensor like `draw`.
    """
    low, high = amount if isinstance(amount, tuple) else (0, amount)
    return low + (high - low) * draw


def spans(size, place, lengths):
    """Where spans begin and end, in whole numbers within the lengths.

    Args:
        size: Float32 tensor of shape `(batch, spans)`: shares of the length.
        place: Another such, from 0, the first place, to 1, the last.
        lengths: Tensor of shape `(batch,)`.

    Returns:
        Two float32 tensors of shape `(batch, spans)`.
    """
    lengths = ops.cast(lengths, "float32")[:, None]
    width = ops.minimum(ops.floor(size * lengths + _ROUNDING), lengths)
    room = lengths - width
    start = ops.minimum(ops.floor(place * (room + 1)), room)
    return start, start + width


def in_spans(count, start, end):
    """Whether positions are within any of some spans.

    Args:
        count: How many positions there are, from 0.
        start: Float32 tensor of shape `(batch, spans)`.
        end: Another such.

    Returns:
        A tensor of booleans of shape `(batch, count)`.
    """
    position = ops.arange(count, dtype="float32")[None, None]
    after = position >= start[..., None]
    before = position < end[..., None]
    return ops.any(ops.logical_and(after, before), axis=1)


def gains_outside(count, start, end, samples):
    """The amplitude 0 in spans and 1 elsewhere, with fades within the spans.

    Args:
        count: How many positions there are, from 0.
        start: Float32 tensor of shape `(batch, spans)`.
        end: Another such.
        samples: How long a fade is, at most half of its span.

    Returns:
        A float32 tensor of shape `(batch, count)`.
    """
    position = ops.arange(count, dtype="float32")[None, None] + 0.5
    start, end = start[..., None], end[..., None]
    # How deep in the span, below 0 outside of it.
    depth = ops.minimum(position - start, end - position)
    # At 0, what is inside is deep enough at once.
    fade = ops.minimum(float(samples), 0.5 * (end - start))
    return ops.prod(1 - fades(depth, ops.maximum(fade, 0.5)), axis=1)

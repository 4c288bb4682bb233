"""Keypoints that have another name in a mirror, as left and right hands."""

from keras_regopt._keras import data_ops as ops
from keras_regopt._validate import fail

_ALLOWED = (
    "None or a list of pairs of different numbers of keypoints, each number "
    "in one pair at most"
)


def checked_pairs(owner, pairs):
    """The argument `flip_pairs`, as a tuple of tuples, or `None`."""
    if pairs is None:
        return None
    good = isinstance(pairs, (list, tuple)) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs
    )
    numbers = [number for pair in pairs for number in pair] if good else []
    good = good and all(type(n) is int and n >= 0 for n in numbers)
    if not good or len(set(numbers)) < len(numbers):
        fail(owner, "flip_pairs", _ALLOWED, pairs)
    return tuple(map(tuple, pairs))


def swapped(layer, keypoints):
    """Keypoints whose pairs have been swapped.

    Args:
        layer: The augmentation, which has `flip_pairs`.
        keypoints: Tensor of shape `(batch, points, 2)` or `(batch, points,
            3)`.

    Raises:
        ValueError: If there are not as many keypoints.
    """
    count = keypoints.shape[1]
    largest = max(map(max, layer.flip_pairs), default=-1)
    if count is not None and largest >= count:
        allowed = f"pairs of numbers below that of the keypoints, {count}"
        fail(layer, "flip_pairs", allowed, layer.flip_pairs)
    index = ops.arange(ops.shape(keypoints)[1], dtype="int32")
    order = index
    for one, other in layer.flip_pairs:
        order = ops.where(index == one, other, order)
        order = ops.where(index == other, one, order)
    return ops.take(keypoints, order, axis=1)

"""Ragged bounding boxes and keypoints.

Only TensorFlow has such tensors. They are padded while a layer computes.
Python's lists become tensors here, before anything walks into them.
"""

import sys

from keras_regopt._keras import data_ops

# What fills up a set, so that it counts as padding.
FILLERS = {"labels": -1, "classes": -1}


def padded(data, keys, times=1):
    """Dense tensors instead of ragged ones and of lists.

    Args:
        data: A dict of targets.
        keys: Which of them to look at.
        times: How many elements of the batch make one, each of which brings
            its own boxes.

    Returns:
        The dict with dense tensors, and a dict of what was ragged, for
        `ragged_again`.
    """
    data, found = dict(data), {}
    for key in keys:
        parts = data[key]
        if isinstance(parts, dict):
            parts = {
                k: _unlisted(f"{k}` of the `{key}", x) for k, x in parts.items()
            }
        else:
            parts = _unlisted(key, parts)
        data[key] = parts
        if is_ragged(parts):
            found[key] = parts
            data[key] = parts.to_tensor()
        elif isinstance(parts, dict) and any(map(is_ragged, parts.values())):
            found[key] = [k for k, x in parts.items() if is_ragged(x)]
            dense = {
                k: x.to_tensor(FILLERS.get(k, 0)) if is_ragged(x) else x
                for k, x in parts.items()
            }
            data[key] = with_room(dense, times)
    return data, found


def with_room(bounding_boxes, times):
    """Boxes with as much padding as mixtures of so many images need."""
    return {
        key: _with_padding(value, times, FILLERS.get(key, 0))
        for key, value in bounding_boxes.items()
    }


def ragged_again(results, found):
    """Takes the padding out, and with it the boxes that are gone.

    Args:
        results: A dict of dense tensors.
        found: The second of the results of `padded`.

    Returns:
        The dict with ragged tensors.
    """
    results = dict(results)
    for key, parts in found.items():
        if key not in results:
            continue
        import tensorflow as tf

        if is_ragged(parts):
            results[key] = tf.RaggedTensor.from_tensor(
                results[key], lengths=parts.row_lengths()
            )
            continue
        left = tf.reduce_any(tf.not_equal(results[key]["boxes"], 0.0), axis=-1)
        results[key] = {
            k: tf.ragged.boolean_mask(x, left) if k in parts else x
            for k, x in results[key].items()
        }
    return results


def _with_padding(values, times, filler):
    if times == 1:
        return values
    ops = data_ops
    empty = ops.cast(ops.full_like(values, filler), values.dtype)
    return ops.concatenate([values] + [empty] * (times - 1), axis=1)


def _unlisted(name, value):
    """A tensor instead of nested lists of numbers."""
    if not isinstance(value, (list, tuple)):
        return value
    try:
        return data_ops.convert_to_tensor(value)
    except Exception as error:
        raise ValueError(
            f"`{name}` in the inputs must be a tensor, or lists of numbers of "
            f"which one can be made; each image needs as many. Received: a "
            f"{type(value).__name__} ({error}). Fill up the shorter ones, "
            "boxes by zeros with the label -1."
        ) from error


def is_ragged(x):
    """Whether something is a ragged tensor."""
    if "tensorflow" not in sys.modules:
        return False
    return isinstance(x, sys.modules["tensorflow"].RaggedTensor)

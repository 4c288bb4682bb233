"""What labels must be to be mixed."""

import keras

from keras_regopt._keras import data_ops as ops
from keras_regopt.augmentation._training import is_traced


def mixable(layer, labels, data):
    """Labels as floats, which can be mixed; integers become one-hot.

    Args:
        layer: The layer that mixes.
        labels: What the inputs hold under this key.
        data: The data, a tensor with a batch axis.

    Raises:
        ValueError: If these cannot be mixed.
    """
    batch = data.shape[0]
    name, classes = type(layer).__name__, layer.num_classes
    if isinstance(labels, dict):
        raise ValueError(
            f"The labels of {name} must be one tensor. Received: a dict with "
            f"the keys {sorted(labels)}. Concatenate them, and take them "
            "apart after the mixing."
        )
    if not isinstance(labels, keras.KerasTensor):
        labels = ops.convert_to_tensor(labels)
    dtype = keras.backend.standardize_dtype(labels.dtype)
    shape = tuple(labels.shape)
    known = shape and None not in (batch, shape[0])
    if not shape or (known and batch != shape[0]):
        raise ValueError(
            f"The labels of {name} must be as many as the {layer.key}, "
            f"{batch}. Received: shape={shape}"
        )
    is_one_hot = len(shape) == 2 and shape[1] != 1
    if keras.backend.is_float_dtype(dtype) or is_one_hot:
        if classes and (len(shape) != 2 or shape[1] not in (classes, None)):
            raise ValueError(
                f"The labels of {name} must be integers, or have the shape "
                f"(batch, {classes}), since num_classes={classes}. "
                f"Received: shape={shape}, dtype={dtype}"
            )
        floats = keras.backend.is_float_dtype(dtype)
        return labels if floats else ops.cast(labels, "float32")
    if classes is None or len(shape) > 2 or dtype == "string":
        raise ValueError(
            f"The labels of {name} are of dtype {dtype} and shape {shape}, "
            "and such cannot be mixed. Set `num_classes` to the number of "
            "classes, and integers of the shape (batch,) or (batch, 1) become "
            "one-hot; or pass labels of floats, which are mixed as they are: "
            "the zeros and ones of a binary task, for instance."
        )
    if len(shape) == 2:
        labels = ops.squeeze(labels, axis=1)
    labels = ops.cast(labels, "int32")
    _check_ids(labels, name, classes)
    return ops.one_hot(labels, classes, dtype="float32")


def _check_ids(labels, name, classes):
    if isinstance(labels, keras.KerasTensor) or is_traced(labels):
        return
    if 0 in labels.shape:
        return
    low, high = int(ops.min(labels)), int(ops.max(labels))
    if low < 0 or high >= classes:
        raise ValueError(
            f"The labels of {name} must be from 0 to {classes - 1}, since "
            f"num_classes={classes}. Received: labels from {low} to {high}"
        )

"""What a caller may hand to an augmentation, and what is said otherwise."""

import keras
import numpy as np

from keras_regopt._keras import data_ops, in_foreign_tf_graph

_PAIRS = (
    "A dataset of (x, y) goes through `map_dataset(dataset, layer)`; labels "
    "go into a dict, {'%s': x, 'labels': y}."
)


class Wrapped:
    """Carries a dict past Keras' inspection of the arguments.

    Keras refuses dicts that mix tensors with arrays or strings.
    """

    def __init__(self, content):
        self.content = content

    def __repr__(self):
        # Part of Keras' messages; whole images would bury the rest of them.
        return repr(keras.tree.map_structure(_described, self.content))


def wrapped(inputs):
    """A dict as the machinery of Keras' layers takes it."""
    symbolic = any(
        isinstance(x, keras.KerasTensor) for x in keras.tree.flatten(inputs)
    )
    return inputs if symbolic else Wrapped(inputs)


def checked_training(layer, others, training):
    """`training` as `True`, `False` or `None`.

    Args:
        layer: The layer that is called.
        others: The positional arguments after the first.
        training: The keyword argument, if there is one.

    Raises:
        ValueError: If it is something else, such as the labels of a dataset
            that was mapped with the layer.
    """
    if len(others) == 1 and training is None:
        (training,) = others
    elif others:
        training = others
    if training is None or isinstance(training, (bool, np.bool_)):
        return training
    if isinstance(training, int) and training in (0, 1):
        return bool(training)
    received = _described(training)
    raise ValueError(
        f"`training` of {type(layer).__name__} must be True, False or None. "
        f"Received: training={received!r}. {_PAIRS % layer.key}"
    )


def missing_data(layer, inputs):
    """The error for a dict without the data."""
    return ValueError(
        f"The inputs of {type(layer).__name__} must be a tensor or a dict "
        f"with the key '{layer.key}'. Received: keys={list(inputs)}"
    )


def as_tensor(layer, value):
    """The data as a tensor of numbers of the right rank.

    Args:
        layer: The layer that is called.
        value: The data: a tensor, also a symbolic one, or an array.

    Raises:
        ValueError: If it is no such tensor.
    """
    name, key = type(layer).__name__, layer.key
    strings = layer.holds_strings
    content = "strings" if strings else "numbers"
    allowed = f"The {key} of {name} must be a tensor or an array of {content}"
    text = isinstance(value, (str, bytes))
    if value is None or isinstance(value, tuple) or text > strings:
        remedy = f" {_PAIRS % key}" if isinstance(value, tuple) else ""
        raise ValueError(f"{allowed}. Received: {_described(value)!r}.{remedy}")
    if is_ragged(value):
        raise ValueError(
            f"The {key} of {name} must not be ragged. Map the layer before "
            "they are batched, or bring them to one size before."
        )
    symbolic = isinstance(value, keras.KerasTensor)
    if strings and not symbolic:
        _require_tensorflow(name, key)
    try:
        tensor = value if symbolic else data_ops.convert_to_tensor(value)
        dtype = keras.backend.standardize_dtype(tensor.dtype)
    except Exception as error:
        raise ValueError(
            f"{allowed}. Received: {_described(value)}, of which no tensor "
            f"can be made ({error})"
        ) from error
    if (dtype == "string") != strings or dtype.startswith("complex"):
        raise ValueError(f"{allowed}. Received: {_described(tensor)}")
    _check_shape(layer, tensor)
    return tensor


def _require_tensorflow(name, key):
    """Refuses strings where no tensor can hold any."""
    backend = keras.backend.backend()
    if backend != "tensorflow" and not in_foreign_tf_graph():
        raise ValueError(
            f"The {key} of {name} are strings, which {backend} does not have. "
            "Map the layer over a `tf.data.Dataset`."
        )


def _check_shape(layer, tensor):
    name, key, rank = type(layer).__name__, layer.key, layer.element_rank
    if getattr(tensor.shape, "rank", 0) is None:
        raise ValueError(
            f"The {key} of {name} are of an unknown rank. Name the sizes that "
            f"are known, as in `tf.ensure_shape(x, {(None,) * rank})`."
        )
    shape = tuple(tensor.shape)
    if len(shape) not in range(rank, rank + 2 + layer.takes_clips):
        clips = f", or {rank + 2} for a batch of clips"
        raise ValueError(
            f"The {key} of {name} must have rank {rank}, or {rank + 1} with a "
            f"batch axis{clips if layer.takes_clips else ''}. Received: "
            f"shape={shape}"
        )
    # Keras handles empty batches.
    if 0 in shape[len(shape) - rank :]:
        raise ValueError(
            f"The {key} of {name} must not be empty. Received: shape={shape}"
        )


def is_ragged(x):
    """Whether `x` is a `tf.RaggedTensor`, without importing TensorFlow."""
    return hasattr(x, "row_splits")


def check_labels(layer, labels, tensor):
    """Refuses labels of another number than the data.

    Raises:
        ValueError: If both numbers are known and differ.
    """
    if len(tensor.shape) == layer.element_rank:
        return
    batch = tensor.shape[0]
    for part in keras.tree.flatten(labels):
        count = part.shape[0] if len(part.shape) else 0
        if None not in (batch, count) and batch != count:
            raise ValueError(
                f"The labels of {type(layer).__name__} must be as many as the "
                f"{layer.key}, {batch}. Received: labels.shape="
                f"{tuple(part.shape)}"
            )


def like(x):
    """A new symbolic tensor like another; anything else as it is."""
    if not isinstance(x, keras.KerasTensor):
        return x
    return keras.KerasTensor(x.shape, x.dtype, sparse=x.sparse, ragged=x.ragged)


def _described(x):
    """An array by its shape and dtype, anything else as it is."""
    if isinstance(x, (tuple, list)):
        return type(x)(_described(item) for item in x)
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return x
    return _Description(f"{type(x).__name__}(shape={x.shape}, dtype={x.dtype})")


class _Description(str):
    """Text without quotation marks."""

    def __repr__(self):
        return str(self)

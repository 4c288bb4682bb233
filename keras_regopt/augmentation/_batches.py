"""Batches: of single elements, of none, and of some chosen ones."""

import keras

from keras_regopt._keras import data_ops as ops


def on_batch(function, data, key, with_batch):
    """Calls a function of a batch for whatever came.

    Args:
        function: Function of a structure of tensors, all with a batch axis
            and at least one element, that returns such a structure.
        data: A dict of such tensors, or of single elements.
        key: The entry that tells whether the batch is empty.
        with_batch: Whether the tensors have a batch axis.

    Returns:
        What the function returns, with as many elements as came.
    """
    if not with_batch:
        return _mapped(lambda x: x[0], function(_mapped(_batch_of_one, data)))
    if data[key].shape[0] != 0:
        return function(data)
    # Not every operation bears it, so one element stands in for none.
    return _mapped(lambda x: x[:0], function(_mapped(_one_of_zeros, data)))


def selected(chosen, new, old):
    """New elements of a batch where they are chosen, or else the old ones.

    Args:
        chosen: Boolean tensor of shape `(batch,)`; `None` chooses all.
        new: Tensor with a leading batch axis.
        old: Tensor that broadcasts to `new`.

    Returns:
        A tensor of the dtype of `new`.
    """
    if chosen is None:
        return new
    axes = tuple(range(1, len(new.shape)))
    chosen = ops.expand_dims(chosen, axis=axes) if axes else chosen
    return ops.where(chosen, new, ops.cast(old, new.dtype))


def _batch_of_one(x):
    return ops.expand_dims(x, axis=0)


def _one_of_zeros(x):
    return ops.zeros((1, *x.shape[1:]), x.dtype)


def _mapped(function, data):
    return keras.tree.map_structure(function, data)

"""Rows of arrays and of nested dicts, lists and tuples of arrays."""

from collections.abc import Mapping

import numpy as np

from keras_regopt._validate import fail

# How many of the arrays an error lists.
_TOLD = 6


def is_nest(data):
    """Whether data are a dict, list or tuple of arrays, not one array.

    A list of numbers or strings is one array.
    """
    if isinstance(data, Mapping):
        return True
    return (
        isinstance(data, (list, tuple))
        and len(data) > 0
        and all(len(getattr(e, "shape", ())) or is_nest(e) for e in data)
    )


def leaves(data, path):
    """The arrays within nested data, by paths such as `x['image']`."""
    if data is None:
        return {}
    if not is_nest(data):
        return {path: data}
    named = data.items() if isinstance(data, Mapping) else enumerate(data)
    found = {}
    for key, value in named:
        found.update(leaves(value, f"{path}[{key!r}]"))
    return found


def count(owner, data):
    """The number of rows of all arrays.

    Args:
        owner: The function that asks, for errors.
        data: A dict of argument names and arrays or nested structures.

    Returns:
        An int.

    Raises:
        ValueError: If there is no array, something has no rows, or the
            numbers of rows differ.
    """
    lengths = {
        argument: {
            path: _length(owner, argument, array)
            for path, array in leaves(value, argument).items()
        }
        for argument, value in data.items()
    }
    lengths = {argument: found for argument, found in lengths.items() if found}
    if not lengths:
        fail(owner, "x", "an array, or a dict or list of arrays", data["x"])
    for argument, found in lengths.items():
        if len(set(found.values())) > 1:
            fail(
                owner,
                argument,
                "of one length throughout",
                _listed(found),
                _several_inputs(data[argument]),
            )
    (first, rows), *rest = [
        (argument, next(iter(found.values())))
        for argument, found in lengths.items()
    ]
    for argument, length in rest:
        if length != rows:
            _refuse_lengths(owner, data, lengths, first, argument)
    return rows


def _refuse_lengths(owner, data, lengths, first, second):
    """Raises an error for two arguments whose arrays differ in length."""
    rows = next(iter(lengths[second].values()))
    argument, other = second, first
    if _several_inputs(data[first]) and len(data[first]) == rows:
        # Samples in a list, which were taken for so many inputs.
        argument, other = first, second
    fail(
        owner,
        argument,
        f"of the length of `{other}`",
        _listed({**lengths[first], **lengths[second]}),
        _several_inputs(data[argument]),
    )


def _listed(lengths):
    """The first lengths, and all that differ from those before."""
    seen = list(lengths.values())
    told = [
        f"{path}: {n}"
        for index, (path, n) in enumerate(lengths.items())
        if index < _TOLD or n not in seen[:index]
    ]
    return ", ".join(told + ["..."] * (len(told) < len(lengths)))


def _several_inputs(data):
    """A remedy for those who pass samples, or their targets, in a list."""
    if isinstance(data, Mapping) or not is_nest(data):
        return ""
    return "A list of arrays means several inputs, not several samples."


def take(data, rows):
    """The rows of a NumPy array of numbers, of every array of nested data."""
    if data is None:
        return None
    if isinstance(data, Mapping):
        return {key: take(value, rows) for key, value in data.items()}
    if is_nest(data):
        values = [take(value, rows) for value in data]
        named_tuple = hasattr(data, "_fields")
        return type(data)(*values) if named_tuple else type(data)(values)
    return _take_array(data, rows)


def to_numpy(array):
    """An array, tensor, list or pandas object as a NumPy array."""
    if hasattr(array, "detach"):
        # np.asarray takes no torch tensor that has a gradient or lies on a
        # GPU.
        array = array.detach().cpu()
    return np.asarray(array)


def _take_array(array, rows):
    if hasattr(array, "iloc"):
        return array.iloc[rows]
    if isinstance(array, (list, tuple)):
        return type(array)([array[row] for row in rows])
    if type(array).__module__.split(".")[0] == "tensorflow":
        import tensorflow as tf

        return tf.gather(array, rows)
    try:
        return array[rows]
    except TypeError:
        # Such as HDF5 data sets, which want rows in increasing order.
        return np.asarray(array)[rows]


def _length(owner, argument, array):
    if isinstance(array, (list, tuple, range)):
        return len(array)
    shape = tuple(getattr(array, "shape", ()))
    if not shape and hasattr(array, "__array__"):
        shape = np.shape(array)
    if not shape:
        allowed = "an array, or a dict, list or tuple of arrays"
        remedy = "Data sets that come in batches cannot be split by rows."
        fail(owner, argument, allowed, type(array).__name__, remedy)
    return int(shape[0])

"""Arguments that are tables of a vocabulary, checked."""

import numpy as np

from keras_regopt._validate import fail


def synonym_table(owner, argument, value):
    """A table of the synonyms of each id, as an int32 array.

    Args:
        owner: The layer under construction, with its ids.
        argument: The name of the argument.
        value: An array or nested lists of shape `(vocabulary, count)`, in
            which -1 stands for nothing.

    Raises:
        ValueError: If it is none, holds ids beyond the vocabulary or special
            ones, or no synonym at all.
    """
    allowed = "a table of ids, of shape (vocabulary, count)"
    table = _array(owner, argument, value, allowed)
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "iu":
        fail(owner, argument, allowed, _described(table))
    size = len(table)
    least, most = int(table.min()), int(table.max())
    if least < -1 or most >= size:
        allowed = f"a table of ids from 0 to {size - 1}, its rows, or -1"
        fail(owner, argument, allowed, f"ids from {least} to {most}")
    if most < 0:
        fail(owner, argument, "a table with at least one synonym", "only -1")
    check_ids(owner, size, argument)
    special = np.intersect1d(table, [owner.padding_id, *owner.special_ids])
    if len(special):
        allowed = "a table without padding or special ids among the synonyms"
        fail(owner, argument, allowed, f"the ids {special.tolist()}")
    return table.astype("int32")


def weights(owner, argument, value, size):
    """One number >= 0 for each id, as a float64 array.

    Args:
        owner: The layer under construction.
        argument: The name of the argument.
        value: A sequence of numbers, not all 0.
        size: How many there must be, or `None`.

    Raises:
        ValueError: If it is none.
    """
    count = "of the vocabulary" if size is None else f"of the {size} ids"
    allowed = f"a number >= 0 for each {count}, not all 0"
    array = _array(owner, argument, value, allowed)
    good = array.ndim == 1 and array.dtype.kind in "iuf" and len(array) > 0
    good = good and (size is None or len(array) == size)
    if not (good and np.isfinite(array).all() and (array >= 0).all()):
        fail(owner, argument, allowed, _described(array))
    if not array.any():
        fail(owner, argument, allowed, "only 0")
    return array.astype("float64")


def flags(owner, argument, value, size):
    """One truth value for each id, as a boolean array.

    Args:
        owner: The layer under construction.
        argument: The name of the argument.
        value: A sequence of truth values.
        size: How many there must be, or `None`.

    Raises:
        ValueError: If it is none.
    """
    count = "each id" if size is None else f"each of the {size} ids"
    allowed = f"True or False for {count}"
    array = _array(owner, argument, value, allowed)
    if array.ndim != 1 or array.dtype.kind not in "biu" or not len(array):
        fail(owner, argument, allowed, _described(array))
    if (size is not None and len(array) != size) or array.astype(int).max() > 1:
        fail(owner, argument, allowed, _described(array))
    return array.astype("bool")


def check_ids(owner, size, argument, **more):
    """Refuses padding and special ids outside of a vocabulary.

    Args:
        owner: The layer under construction, with its ids.
        size: The size of the vocabulary.
        argument: The argument that tells the size.
        **more: Other ids, by the names of their arguments.
    """
    named = {"padding_id": [owner.padding_id], "special_ids": owner.special_ids}
    named |= {name: [value] for name, value in more.items()}
    for name, ids in named.items():
        for value in ids:
            if value >= size:
                allowed = f"below {size}, the size of `{argument}`"
                fail(owner, name, allowed, value)


def usable_ids(owner, size, *others):
    """All ids of a vocabulary that may stand in for another, an int32 array."""
    never = [owner.padding_id, *owner.special_ids, *others]
    ids = np.setdiff1d(np.arange(size), never)
    if not len(ids):
        allowed = "larger than the number of padding and special ids"
        fail(owner, "vocabulary_size", allowed, size)
    return ids.astype("int32")


def _array(owner, argument, value, allowed):
    try:
        return np.array(value)
    except Exception:
        # Rows of different lengths, or tensors that are no arrays.
        return fail(owner, argument, allowed, value)


def _described(array):
    return f"an array of {array.dtype}, of shape {array.shape}"

"""The data of a search: checks, folds and fingerprints."""

import hashlib

import keras
import numpy as np

from keras_regopt._validate import fail
from keras_regopt.tuning._folds import make_folds

_REMEDY = (
    "Cross-validation picks samples by their index: pass arrays, or dicts, "
    "tuples or lists of arrays. Turn a dataset or a generator into arrays "
    "first, or search with another tuner."
)


class FoldedData:
    """The samples of a search and their folds.

    Args:
        owner: The tuner; it holds `folds`, `stratify` and `seed`.
        x: Inputs: an array, or dicts, tuples and lists of arrays.
        y: Targets, in the same forms, or `None`.
        sample_weight: Weights, in the same forms, or `None`.
        groups: One group a sample, or `None`.

    Raises:
        ValueError: If these are no arrays of one length, or cannot be split
            into the folds.
    """

    def __init__(self, owner, x, y=None, sample_weight=None, groups=None):
        self._arrays = {
            "x": to_arrays(owner, "x", x),
            "y": to_arrays(owner, "y", y),
            "sample_weight": to_arrays(owner, "sample_weight", sample_weight),
        }
        groups = to_arrays(owner, "groups", groups)
        count = sample_count(owner, **self._arrays, groups=groups)
        self._pairs = make_folds(
            owner,
            owner.folds,
            owner.stratify,
            owner.seed,
            count,
            self._arrays["y"],
            groups,
        )

    def __len__(self):
        return len(self._pairs)

    def indices(self, number):
        """The indices of the samples to train on, and of the others."""
        return self._pairs[number]

    def test_to_train(self):
        """How many samples validate a model for each that trains it."""
        return len(self._pairs[0][1]) / len(self._pairs[0][0])

    def fold(self, number):
        """The arguments of `HyperModel.fit` for a fold, counted from 0."""
        train, val = self._pairs[number]
        arguments, keywords = self._take(train)
        x, y, weight = (take_rows(a, val) for a in self._arrays.values())
        validation = (x, y) if weight is None else (x, y, weight)
        return arguments, {**keywords, "validation_data": validation}

    def everything(self):
        """All samples, in the form that `fold` has."""
        return self._take(slice(None))

    def fingerprint(self):
        """Short texts that differ where the data or the folds differ."""
        return {
            "data": fingerprint(*self._arrays.values()),
            "folds": fingerprint(self._pairs),
        }

    def _take(self, index):
        x, y, weight = (take_rows(a, index) for a in self._arrays.values())
        arguments = (x,) if y is None else (x, y)
        keywords = {} if weight is None else {"sample_weight": weight}
        return arguments, keywords


def to_arrays(owner, argument, data, optional=None):
    """Turns every array of a structure into a NumPy array.

    Args:
        owner: The object to name in errors.
        argument: The name of the argument.
        data: An array, or dicts, tuples and lists of arrays.
        optional: Whether `None` passes. Defaults to all but `x`.

    Returns:
        The same structure with NumPy arrays.

    Raises:
        ValueError: If something in it is no array with a first axis.
    """
    if data is None and (argument != "x" if optional is None else optional):
        return None

    def convert(leaf):
        if keras.ops.is_tensor(leaf):
            leaf = keras.ops.convert_to_numpy(leaf)
        if not hasattr(leaf, "__array__") or not np.ndim(leaf):
            allowed = "an array or a structure of arrays, one row a sample"
            fail(owner, argument, allowed, leaf, _REMEDY)
        return np.asarray(leaf)

    return keras.tree.map_structure(convert, data)


def sample_count(owner, **data):
    count = None
    for argument, structure in data.items():
        if structure is None:
            continue
        for array in keras.tree.flatten(structure):
            count = len(array) if count is None else count
            if len(array) != count:
                raise ValueError(
                    f"All arrays for {type(owner).__name__} must have the "
                    f"same number of rows. Received: {count} rows, but "
                    f"{len(array)} in `{argument}`"
                )
    return count


def take_rows(data, index):
    """The rows of a structure of arrays."""
    if data is None:
        return None
    return keras.tree.map_structure(lambda array: array[index], data)


def fingerprint(*data):
    """32 hexadecimal digits, others where the data differ."""
    digest = hashlib.sha256()
    for structure in data:
        leaves = [] if structure is None else keras.tree.flatten(structure)
        digest.update(f"|{len(leaves)}".encode())
        for array in leaves:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            if array.dtype.hasobject:
                # Its bytes are addresses, which differ in every process.
                for value in array.ravel():
                    digest.update(f"{value!r},".encode())
            else:
                digest.update(np.ascontiguousarray(array).data.cast("B"))
    return digest.hexdigest()[:32]

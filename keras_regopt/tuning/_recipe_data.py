"""The data of a recipe: parts, and what is neither of them alone."""

import keras
import numpy as np

from keras_regopt._validate import fail
from keras_regopt.diagnosis import Split, split
from keras_regopt.diagnosis._split_parts import Part
from keras_regopt.tuning._data import sample_count, to_arrays
from keras_regopt.tuning._folds import class_labels


def parts_of_data(owner, data, seed):
    """The train, dev and test parts, as arrays of NumPy.

    Args:
        owner: The function to name in errors.
        data: A pair `(x, y)`, or three pairs.
        seed: Seed of the split.

    Returns:
        A `Split`.

    Raises:
        ValueError: If it is neither.
    """
    allowed = "a pair (x, y), or what `split` returned: three such pairs"
    if not isinstance(data, (list, tuple)) or len(data) not in (2, 3):
        fail(owner, "data", allowed, type(data).__name__)
    if len(data) == 2:
        x, y = _arrays(owner, data)
        labels = class_labels(y)
        return split(x, y, stratify=None if labels is None else True, seed=seed)
    for part in data:
        if not isinstance(part, (list, tuple)) or len(part) != 2:
            fail(owner, "data", allowed, type(part).__name__)
    return Split(*(Part(*_arrays(owner, part)) for part in data))


def joined(train, dev):
    """The rows of two parts, as one pair."""
    return tuple(
        keras.tree.map_structure(lambda a, b: np.concatenate([a, b]), *arrays)
        for arrays in zip(train, dev, strict=True)
    )


def rows_of(pair):
    """The number of rows of a pair `(x, y)`."""
    return len(keras.tree.flatten(pair[0])[0])


def _arrays(owner, pair):
    x, y = (
        to_arrays(owner, name, array, optional=False)
        for name, array in zip("xy", pair, strict=True)
    )
    sample_count(owner, x=x, y=y)
    return x, y

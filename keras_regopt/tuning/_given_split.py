"""One split of the data, made by the caller."""

import keras

from keras_regopt._validate import fail
from keras_regopt.tuning._data import (
    FoldedData,
    fingerprint,
    sample_count,
    to_arrays,
)


def split_data(owner, x, y, sample_weight, groups, validation_data):
    """The folds of a tuner, or the one split that it was given."""
    if owner.folds is not None:
        return FoldedData(owner, x, y, sample_weight, groups)
    if groups is not None:
        fail(owner, "groups", "left out without folds", groups)
    return GivenSplit(owner, x, y, sample_weight, validation_data)


class GivenSplit:
    """Training and validation data that the caller has split.

    Args:
        owner: The tuner.
        x: Arrays as for `FoldedData`, or a dataset that can be read again.
        y: Targets, or `None`.
        sample_weight: Weights, or `None`.
        validation_data: What `Model.fit` takes.

    Raises:
        ValueError: If these are no such data.
    """

    def __init__(self, owner, x, y, sample_weight, validation_data):
        if validation_data is None:
            allowed = "given to search(), since `folds` is None"
            fail(owner, "validation_data", allowed, validation_data)
        self._train = _given(owner, "x", x, y, sample_weight)
        if isinstance(validation_data, (tuple, list)):
            if not 1 <= len(validation_data) <= 3:
                allowed = "a dataset, or a tuple of 1 to 3"
                fail(owner, "validation_data", allowed, validation_data)
            parts = (*validation_data, None, None)[:3]
        else:
            parts = (validation_data, None, None)
        self._validation = _given(owner, "validation_data", *parts)

    def __len__(self):
        return 1

    def fold(self, number):
        """The arguments of `HyperModel.fit`."""
        arguments, keywords = self.everything()
        *data, weight = self._validation
        validation = (*data, weight) if weight is not None else tuple(data)
        if _is_dataset(data[0]):
            validation = data[0]
        return arguments, {**keywords, "validation_data": validation}

    def everything(self):
        """The training data, in the form that `fold` has."""
        x, y, weight = self._train
        arguments = (x,) if y is None else (x, y)
        keywords = {} if weight is None else {"sample_weight": weight}
        return arguments, keywords

    def fingerprint(self):
        """Short texts that differ where arrays or kinds of data differ."""
        names = ("data", "validation_data")
        return {
            name: fingerprint(*data)
            if not _is_dataset(data[0])
            else _dataset_fingerprint(data[0])
            for name, data in zip(
                names, (self._train, self._validation), strict=True
            )
        }


def _given(owner, argument, x, y, sample_weight):
    """Inputs, targets and weights: checked arrays, or a dataset and no more."""
    if _is_dataset(x):
        if y is not None or sample_weight is not None:
            remedy = "The dataset holds the targets and the weights."
            fail(owner, "y", "left out with a dataset", y, remedy)
        return x, None, None
    x = to_arrays(owner, argument, x, optional=False)
    y = to_arrays(owner, "y", y)
    sample_weight = to_arrays(owner, "sample_weight", sample_weight)
    sample_count(owner, x=x, y=y, sample_weight=sample_weight)
    return x, y, sample_weight


def _is_dataset(x):
    """Whether data is no arrays, and can be read again and again."""
    if isinstance(x, (list, tuple, dict)) or hasattr(x, "__array__"):
        return False
    readable = hasattr(x, "__iter__") or isinstance(x, keras.utils.PyDataset)
    return readable and not hasattr(x, "__next__")


def _dataset_fingerprint(dataset):
    """What can be told of a dataset without reading it."""
    try:
        length = str(len(dataset))
    except TypeError:
        length = "unknown length"
    spec = getattr(dataset, "element_spec", "")
    return f"{type(dataset).__name__} of {length} {spec}".strip()

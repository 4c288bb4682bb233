"""Data as named columns of numbers or of categories."""

import numbers

import keras
import numpy as np

from keras_regopt._validate import fail

# What stands for a value that is missing among categories.
MISSING = "(missing)"
# Outputs of so many numbers are watched one by one, even if they are
# probabilities.
_FEW_OUTPUTS = 10


def to_columns(owner, argument, data, categorical=()):
    """Splits data into columns.

    Args:
        owner: The object to name in errors.
        argument: The name of the argument.
        data: An array of one or two axes, a dict of such arrays, or a data
            frame.
        categorical: Names of the columns whose numbers are categories.

    Returns:
        A dict: name to a float64 array, in which NaN is missing, or to an
        array of strings, in which `MISSING` is.

    Raises:
        ValueError: If the data are something else or of different lengths.
    """
    if hasattr(data, "columns") and not isinstance(data, dict):
        data = {str(name): data[name] for name in data.columns}
    if not isinstance(data, dict):
        data = {argument: data}
    columns = {}
    for name, array in data.items():
        for column, values in _split(owner, argument, str(name), array):
            columns[column] = _values(values, column in categorical)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        allowed = "data of one number of rows"
        fail(owner, argument, allowed, {k: len(v) for k, v in columns.items()})
    return columns


def is_columnar(data):
    """Whether data have columns, unlike images and clips."""
    if isinstance(data, dict):
        return all(np.ndim(array) <= 2 for array in data.values())
    return hasattr(data, "columns") or np.ndim(data) <= 2


def output_columns(owner, argument, outputs):
    """What a model returns, as columns.

    Rows of probabilities also give the class of the largest one and that
    probability, the confidence; beyond ten classes, these two alone.
    """
    if not isinstance(outputs, dict):
        outputs = {"prediction": outputs}
    columns = {}
    for name, array in outputs.items():
        array = _array(array)
        if array.ndim > 2:
            array = array.reshape(len(array), -1)
        probabilities = _are_probabilities(array)
        if probabilities:
            classes = array.argmax(axis=1)
            columns[f"class of {name}"] = _values(classes, True)
            columns[f"confidence of {name}"] = array.max(axis=1).astype(float)
        if not probabilities or array.shape[1] <= _FEW_OUTPUTS:
            columns.update(to_columns(owner, argument, {str(name): array}))
    return columns


def _are_probabilities(array):
    return bool(
        array.ndim == 2
        and array.shape[1] > 1
        and array.dtype.kind == "f"
        and (array >= 0).all()
        and np.allclose(array.sum(axis=1), 1, atol=1e-2)
    )


def _array(data):
    if keras.ops.is_tensor(data):
        data = keras.ops.convert_to_numpy(data)
    return np.asarray(data)


def _split(owner, argument, name, array):
    """Pairs of the name and the values of each column of an array."""
    array = _array(array)
    if array.ndim == 1:
        return [(name, array)]
    if array.ndim != 2:
        remedy = (
            "Of images, sound and text, watch what a model makes of them: give "
            "`model`, one that returns predictions or embeddings."
        )
        allowed = "arrays of one or two axes, one row a sample"
        fail(owner, argument, allowed, f"an array of {array.ndim} axes", remedy)
    if array.shape[1] == 1:
        return [(name, array[:, 0])]
    return [(f"{name}[{i}]", array[:, i]) for i in range(array.shape[1])]


def _values(array, categorical):
    """Floats, or strings of the categories."""
    if not categorical and array.dtype.kind in "iuf":
        return array.astype("float64")
    if not categorical and array.dtype.kind == "O":
        present = [value for value in array if not _is_missing(value)]
        if all(_is_number(value) for value in present):
            return np.array(
                [np.nan if _is_missing(v) else float(v) for v in array]
            )
    return np.array([_category(value) for value in array.tolist()], dtype="U")


def _is_missing(value):
    return value is None or (isinstance(value, float) and np.isnan(value))


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _category(value):
    """The name of a category: 3 and 3.0 are one."""
    if _is_missing(value):
        return MISSING
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

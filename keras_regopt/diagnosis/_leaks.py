"""Searches for rows that are alike, and for columns that tell the target."""

import numpy as np

from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._targets import are_labels, labels_of

# Rows of each part that are compared by distance.
_MOST_ROWS = 2000
_LEAST_ROWS = 20
# A column that takes fewer values than this share of the rows is a category.
_FEW_VALUES = 0.2
_MOST_COLUMNS = 2000


def flat_rows(x):
    """Every row of nested inputs as one row of numbers or strings."""
    parts = []
    for leaf in _nested.leaves(x, "x").values():
        array = _nested.to_numpy(leaf)
        parts.append(array.reshape(len(array), -1))
    kinds = {part.dtype.kind in "biuf" for part in parts}
    if kinds == {True}:
        return np.concatenate(parts, axis=1)
    return np.concatenate([part.astype(str) for part in parts], axis=1)


def equal_rows(first, second):
    """The rows of the second array that are in the first, too."""
    if first.shape[1] != second.shape[1]:
        return np.array([], int)
    dtype = np.result_type(first.dtype, second.dtype)
    known = {row.tobytes() for row in np.ascontiguousarray(first, dtype)}
    rows = np.ascontiguousarray(second, dtype)
    return np.array(
        [i for i, row in enumerate(rows) if row.tobytes() in known], int
    )


def near_rows(first, second, near):
    """The rows of the second array that are nearly rows of the first."""
    from scipy.spatial import cKDTree

    numeric = first.dtype.kind in "biuf" and second.dtype.kind in "biuf"
    few = min(len(first), len(second)) < 1 or len(first) < _LEAST_ROWS
    if not numeric or few or first.shape[1] != second.shape[1]:
        return np.array([], int)
    rng = np.random.default_rng(0)
    chosen = np.arange(len(second))
    if len(chosen) > _MOST_ROWS:
        chosen = np.sort(rng.choice(chosen, _MOST_ROWS, replace=False))
    if len(first) > _MOST_ROWS:
        first = first[rng.choice(len(first), _MOST_ROWS, replace=False)]
    first, other = first.astype("float64"), second[chosen].astype("float64")
    whole = np.isfinite(other).all(axis=1)
    first = first[np.isfinite(first).all(axis=1)]
    if len(first) < _LEAST_ROWS or not whole.any():
        return np.array([], int)
    scale = first.std(axis=0)
    scale[scale == 0] = 1.0
    if first.shape[1] > 50:
        # Distances are kept, within a tenth or so, by random projections.
        width = first.shape[1]
        mixed = rng.normal(size=(width, 50)) / np.sqrt(50) / scale[:, None]
    else:
        mixed = np.diag(1 / scale)
    tree = cKDTree(first @ mixed)
    apart = tree.query(first @ mixed, k=2)[0][:, 1]
    apart = apart[apart > 0]
    if not len(apart):
        return np.array([], int)
    distance = tree.query(other[whole] @ mixed)[0]
    return chosen[whole][distance < near * np.median(apart)]


def telling_columns(x, y):
    """Pairs of an input's path and of its column that tell the target."""
    if y is None or _nested.is_nest(y):
        return []
    y = _nested.to_numpy(y)
    classes = are_labels(y)
    target = labels_of(y) if classes else y
    if target.ndim > 1 and target.shape[-1] == 1:
        target = target[..., 0]
    if target.ndim != 1 or len(target) < _LEAST_ROWS:
        return []
    if len(np.unique(target)) < 2 or target.dtype.kind not in "biuf":
        return []
    tells = _tells_class if classes else _tells_number
    found: list[tuple] = []
    for path, leaf in _nested.leaves(x, "x").items():
        array = _nested.to_numpy(leaf)
        if array.ndim == 1:
            found += [(path, None)] if tells(array, target) else []
        elif array.ndim == 2 and array.shape[1] <= _MOST_COLUMNS:
            columns = range(array.shape[1])
            found += [(path, c) for c in columns if tells(array[:, c], target)]
    return found


def _tells_class(column, labels):
    """Whether one threshold, or one value for each class, tells the class."""
    if column.dtype.kind in "biuf":
        if not np.isfinite(column).all():
            return _missing_tells(column, labels)
        order = np.argsort(column, kind="stable")
        sorted_labels, values = labels[order], column[order]
        changes = np.flatnonzero(sorted_labels[1:] != sorted_labels[:-1])
        steps = values[changes + 1] > values[changes]
        if len(changes) == len(np.unique(labels)) - 1 and steps.all():
            return True
    values, number = np.unique(column, return_inverse=True)
    if len(values) > max(_FEW_VALUES * len(column), 2):
        return False
    pairs = np.unique(np.stack([number, labels]), axis=1)
    return pairs.shape[1] == len(values) > 1


def _missing_tells(column, labels):
    """Whether a value is missing for the rows of some classes alone."""
    missing = ~np.isfinite(column.astype("float64"))
    pairs = np.unique(np.stack([missing, labels]), axis=1)
    return pairs.shape[1] == len(np.unique(labels)) > 1


def _tells_number(column, target):
    if column.dtype.kind not in "biuf" or not np.isfinite(column).all():
        return False
    if np.ptp(column) == 0 or not np.isfinite(target).all():
        return False
    return bool(abs(np.corrcoef(column, target)[0, 1]) > 0.999)

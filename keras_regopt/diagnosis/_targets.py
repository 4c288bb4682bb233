"""What the targets tell: their classes, and the error of a constant answer."""

import numpy as np

from keras_regopt.diagnosis import _nested


def labels_of(y):
    """The classes of targets: integers, one-hot rows; `None` if there are none.

    Args:
        y: Targets, an array.

    Returns:
        An array of integers, or `None`.
    """
    y = _nested.to_numpy(y)
    if y.dtype.kind not in "biuf" or y.size == 0:
        return None
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim > 1 and y.shape[-1] > 1:
        one_hot = (y >= 0).all() and np.allclose(y.sum(axis=-1), 1, atol=1e-3)
        if one_hot:
            return y.argmax(axis=-1)
    if y.dtype.kind == "f" and (y != np.round(y)).any():
        return None
    return y.astype(int)


def are_labels(y):
    """Whether targets are classes rather than numbers to predict."""
    y = _nested.to_numpy(y)
    labels = labels_of(y)
    if labels is None:
        return False
    # Whole numbers in floats are classes where they are few and begin at 0.
    distinct = np.unique(labels)
    few = len(distinct) <= max(20, len(labels) // 20)
    return y.dtype.kind in "biu" or (few and distinct.min() in (-1, 0))


def largest_share(y):
    """The fraction of the largest class of targets."""
    _, counts = np.unique(labels_of(y), return_counts=True)
    return float(counts.max() / counts.sum())


def constant_error(kind, y):
    """The error of the best constant answer.

    Args:
        kind: `"mse"`, `"rmse"`, `"mae"` or `"ce"`.
        y: The targets.

    Returns:
        A float: the variance, the standard deviation, the mean distance to
        the median, or the entropy of the classes; `None` if it cannot be
        told.
    """
    y = _nested.to_numpy(y)
    if kind == "ce":
        labels = labels_of(y)
        if labels is None:
            return None
        _, counts = np.unique(labels, return_counts=True)
        shares = counts / counts.sum()
        return float(-(shares * np.log(shares)).sum()) or None
    if y.dtype.kind not in "biuf":
        return None
    y = y.astype("float64").reshape(len(y), -1)
    if kind == "mae":
        return float(np.abs(y - np.median(y, axis=0)).mean()) or None
    variance = float(y.var(axis=0).mean())
    return {"mse": variance, "rmse": variance**0.5}.get(kind) or None

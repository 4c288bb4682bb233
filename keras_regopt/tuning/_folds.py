"""Folds for cross-validation, on scikit-learn's splitters."""

import numpy as np
from sklearn import model_selection

from keras_regopt._validate import fail, integer

_UNSTRATIFIED = "Pass `stratify=False` to ignore the classes, or fewer folds."


def check_folds(owner, folds, argument="folds"):
    """Checks the argument `folds`.

    Args:
        owner: The object under construction.
        folds: A number of folds or a scikit-learn splitter.
        argument: The argument's name.

    Returns:
        The number as an `int`, the splitter, or `None`, for one split that
        `search` is given.

    Raises:
        ValueError: If it is none of these, or a number below 2.
    """
    if folds is None:
        return None
    if not isinstance(folds, type) and all(
        callable(getattr(folds, name, None))
        for name in ("split", "get_n_splits")
    ):
        return folds
    remedy = (
        "A scikit-learn splitter, such as RepeatedKFold(), is fine too, and "
        "so is None, with `validation_data` for search()."
    )
    return integer(owner, argument, folds, low=2, remedy=remedy)


def make_folds(owner, folds, stratify, seed, count, y, groups):
    """Splits the samples into folds.

    A splitter may make a single one.

    Args:
        owner: The object to name in errors.
        folds: What `check_folds` returned.
        stratify: `True`, `False` or `"auto"`.
        seed: Seed of the shuffling.
        count: Number of samples.
        y: The targets as NumPy arrays, or `None`.
        groups: One group label a sample, or `None`.

    Returns:
        A list of pairs of index arrays, training and validation.

    Raises:
        ValueError: If the samples cannot be split so.
    """
    labels = None if stratify is False else class_labels(y, stratify)
    if stratify is True and labels is None:
        allowed = "'auto' or False where `y` is not one array of class labels"
        remedy = "Or give `folds` a splitter that knows the classes."
        fail(owner, "stratify", allowed, stratify, remedy)
    if isinstance(folds, int):
        splitter = _splitter(owner, folds, seed, count, labels, groups)
    else:
        splitter = folds
    if labels is None and isinstance(y, np.ndarray):
        labels = y
    pairs, again = (_pairs(splitter, count, labels, groups) for _ in range(2))
    if not pairs or not all(len(t) and len(v) for t, v in pairs):
        sizes = [(len(t), len(v)) for t, v in pairs]
        fail(
            owner,
            "folds",
            "a split into folds, none of them empty",
            folds,
            f"It made folds of (training, validation) samples: {sizes}.",
        )
    if not _same(pairs, again):
        fail(
            owner,
            "folds",
            "a splitter that makes the same folds every time",
            folds,
            "Give it a seed, an integer `random_state`.",
        )
    return pairs


def _pairs(splitter, count, labels, groups):
    return [
        (np.asarray(train), np.asarray(val))
        for train, val in splitter.split(np.zeros(count), labels, groups)
    ]


def _same(pairs, others):
    return len(pairs) == len(others) and all(
        np.array_equal(one, other)
        for pair, other_pair in zip(pairs, others, strict=True)
        for one, other in zip(pair, other_pair, strict=True)
    )


def class_labels(y, stratify="auto"):
    """The class of each sample.

    Args:
        y: The targets as NumPy arrays, or `None`.
        stratify: `"auto"` takes integers, booleans, strings and one-hot rows
            for classes; `True` also takes whole numbers of a float type.

    Returns:
        A 1D array, or `None` where `y` holds no class labels.
    """
    if not isinstance(y, np.ndarray):
        return None
    if y.ndim == 2 and y.shape[1] > 1:
        one_hot = y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all()
        one_hot = one_hot and (y.sum(axis=1) == 1).all()
        return y.argmax(axis=1) if one_hot else None
    if y.ndim > 2:
        return None
    y = y.ravel()
    if y.dtype.kind in "biuSUO":
        return y
    whole = stratify is True and np.array_equal(y, np.round(y))
    return y.astype("int64") if whole else None


def _splitter(owner, folds, seed, count, labels, groups):
    if folds > count:
        fail(owner, "folds", f"at most {count}, the number of samples", folds)
    if labels is not None:
        classes, counts = np.unique(labels, return_counts=True)
        if counts.min() < folds:
            rarest = classes[counts.argmin()]
            fail(
                owner,
                "folds",
                f"at most {counts.min()}, the number of samples of class "
                f"{rarest.item() if hasattr(rarest, 'item') else rarest!r}",
                folds,
                _UNSTRATIFIED,
            )
    if groups is not None:
        distinct = len(np.unique(groups))
        if distinct < folds:
            fail(
                owner,
                "folds",
                f"at most {distinct}, the number of groups",
                folds,
            )
        if labels is None:
            # Balances the sizes; there is nothing to shuffle.
            return model_selection.GroupKFold(folds)
    kind = {
        (False, False): model_selection.KFold,
        (True, False): model_selection.StratifiedKFold,
        (True, True): model_selection.StratifiedGroupKFold,
    }[labels is not None, groups is not None]
    return kind(folds, shuffle=True, random_state=seed)

"""Train, dev and test parts of a data set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_regopt._validate import fail, in_range, integer, one_of
from keras_regopt.diagnosis import _nested, _splitters
from keras_regopt.diagnosis._split_parts import (
    Part,
    Split,
    SplitWithTrainDev,
)


def split(
    x: Any,
    y: Any = None,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    stratify: Any = None,
    groups: Any = None,
    time: Any = None,
    shuffle: bool | None = None,
    seed: int = 0,
    train_dev: float | None = None,
) -> Any:
    """Splits data into train, dev and test parts, and if asked train-dev.

    The train part is for learning, the dev part for every decision, the test
    part for one look at the end. Stratify when classes are rare or the data
    are few; group when rows belong together (frames of a film, visits of a
    patient), since a model that has seen one knows the others; keep the time
    order when the model will be used on the future.

    The parts are disjoint, cover all rows, and have the sizes asked for
    within one row. Stratified, each part has the proportions of the classes
    within one row. With groups no group is in two parts; the sizes, and with
    `stratify` also the proportions of the classes, come as near as whole groups
    allow in 200 random orders of the groups.

    Args:
        x: An array of samples along its first axis (NumPy, pandas, a tensor
            of TensorFlow, JAX or torch, a list of numbers or strings), or a
            dict, list or tuple of such arrays, nested as you like. A list of
            arrays means several inputs.
        y: Targets in the same forms. Defaults to `None`.
        fractions: The fractions of train, dev and test, three numbers above 0
            that sum to 1. Defaults to `(0.6, 0.2, 0.2)`.
        stratify: `True` to keep the proportions of the classes in `y` (labels
            or one-hot rows), or an array of labels to use instead. Defaults
            to `None`. It goes together with `groups`, not with `time`.
        groups: An array with the group of each row. Defaults to `None`.
        time: `True` when the rows are in time order, or an array of times to
            order them by; rows of one time then stay in one part.
            Defaults to `None`.
        shuffle: Whether rows are drawn at random. `False` keeps their order,
            as `time=True` does. Defaults to `None`, which shuffles unless
            `time` is given.
        seed: Seed of the draw; the same seed gives the same split. Defaults
            to `0`.
        train_dev: The fraction of all rows that are held out from the train
            part, in (0, train fraction), by the same rules; the other parts
            stay as they are. It tells variance from data mismatch once dev
            and test data are of another source. Defaults to `None`: no such
            part.

    Returns:
        A named tuple `(train, dev, test)` of pairs `(x, y)`, a `Split`; with
        `train_dev` a `SplitWithTrainDev`, `(train, train_dev, dev, test)`.
        Each part has its rows of the original arrays as `.indices`. Arrays
        keep their kind; nothing is changed in place.

    Raises:
        ValueError: If the fractions do not sum to 1, a part would be empty, a
            class or the groups are too few, the arrays differ in length, or
            time order comes with `stratify`, `groups` or `shuffle=True`.

    Examples:
        >>> x, y = np.arange(20).reshape(10, 2), np.arange(10) % 2
        >>> parts = split(x, y, stratify=True)
        >>> (x_train, y_train), (x_dev, y_dev), (x_test, y_test) = parts
        >>> x_train.shape, x_dev.shape, x_test.shape
        ((6, 2), (2, 2), (2, 2))
        >>> sorted(y_dev.tolist())
        [0, 1]
        >>> split(x, time=True).test.indices.tolist()
        [8, 9]
        >>> four = split(x, y, train_dev=0.2)
        >>> [len(part.x) for part in four]
        [4, 2, 2, 2]

    References:
        Ng 2018, Machine learning yearning, chapters 5 to 12, on what the
        three parts are for.
    """
    count = _nested.count(split, {"x": x, "y": y})
    sizes = _sizes(fractions, count)
    seed = integer(split, "seed", seed, low=0, high=2**32 - 1)
    one_of(split, "shuffle", shuffle, (None, True, False))
    in_range(
        split, "train_dev", train_dev, above=0, below=fractions[0],
        optional=True, remedy="It is a fraction of all rows.",
    )  # fmt: skip
    if shuffle is False or _is_given(time):
        _refuse_with_order(stratify, groups, shuffle)
        times = None if isinstance(time, bool) else time
        order = np.arange(count)
        if times is not None:
            order = _row_values("time", times, count)
        how = order if times is not None else None, None, None, True
    else:
        if groups is not None:
            groups = _row_values("groups", groups, count)
        labels = None
        if _is_given(stratify) or groups is not None:
            labels = _labels(stratify, y, count)
        how = None, groups, labels, False
    parts = _split_rows(np.arange(count), how, fractions, sizes, seed)
    if train_dev is None:
        return Split(*(_part(x, y, rows) for rows in parts))
    train, dev, test = parts
    train, held_out = _hold_out(train, how, train_dev, count, seed)
    return SplitWithTrainDev(
        *(_part(x, y, rows) for rows in (train, held_out, dev, test))
    )


def _part(x, y, rows):
    return Part(_nested.take(x, rows), _nested.take(y, rows), rows)


def _split_rows(rows, how, fractions, sizes, seed):
    """Three parts of some rows, by times, groups or classes of all rows."""
    times, groups, labels, ordered = how
    random = np.random.RandomState(seed)
    if ordered:
        own = None if times is None else times[rows]
        parts = _splitters.in_time_order(own, sizes)
    elif groups is not None:
        parts = _splitters.whole_groups(
            groups[rows], labels[rows], fractions, random
        )
    elif labels is not None:
        parts = _splitters.by_class(labels[rows], fractions, random)
    else:
        parts = _splitters.at_random(np.arange(len(rows)), sizes, random)
    return [rows[part] for part in parts]


def _hold_out(train, how, fraction, count, seed):
    """Train rows without, and with, a part of them that is held out."""
    size = max(round(fraction * count), 2)
    if len(train) - size < 1:
        allowed = f"a fraction that leaves train rows of {len(train)}"
        fail(split, "train_dev", allowed, fraction)
    if how[-1]:
        # The end of the train rows, in their order: what comes next.
        train = np.sort(train) if how[0] is None else train
    # Three parts, of which the last two are put together again.
    half = size / 2 / len(train)
    sizes = np.array([len(train) - size, size // 2, size - size // 2])
    fractions = (1 - 2 * half, half, half)
    kept, *held_out = _split_rows(
        train, how, fractions, sizes, (seed + 1) % 2**32
    )
    return kept, np.concatenate(held_out)


def _sizes(fractions, count):
    remedy = "Give the parts of train, dev and test, such as (0.6, 0.2, 0.2)."
    if not isinstance(fractions, (list, tuple)) or len(fractions) != 3:
        fail(split, "fractions", "three numbers", fractions, remedy)
    for fraction in fractions:
        in_range(split, "fractions", fraction, above=0, remedy=remedy)
    if abs(sum(fractions) - 1) > 1e-6:
        fail(split, "fractions", "numbers that sum to 1", fractions, remedy)
    cuts = np.rint(np.cumsum(fractions) * count).astype(int)
    sizes = np.diff(cuts, prepend=0)
    if sizes.min() < 1:
        allowed = f"fractions that leave no part of the {count} rows empty"
        fail(split, "fractions", allowed, fractions)
    return sizes


def _is_given(option):
    return option is not None and option is not False


def _refuse_with_order(stratify, groups, shuffle):
    remedy = "Rows in time order are cut at two points, and nothing else."
    if shuffle is True:
        fail(split, "shuffle", "False or None with `time`", shuffle, remedy)
    if _is_given(stratify):
        allowed = "None in time order or with shuffle=False"
        fail(split, "stratify", allowed, _short(stratify), remedy)
    if groups is not None:
        allowed = "None in time order or with shuffle=False"
        fail(split, "groups", allowed, _short(groups), remedy)


def _labels(stratify, y, count):
    if not _is_given(stratify):
        return np.zeros(count, int)
    remedy = "Or pass an array of labels as `stratify`."
    if stratify is not True:
        labels = _row_values("stratify", stratify, count)
    elif y is None or _nested.is_nest(y):
        allowed = "an array of labels for stratify=True"
        fail(split, "y", allowed, type(y).__name__, remedy)
    else:
        labels = _nested.to_numpy(y)
        labels = labels[:, 0] if labels.shape[1:] == (1,) else labels
        if labels.ndim == 2 and _is_one_hot(labels):
            labels = labels.argmax(axis=1)
        if labels.ndim != 1:
            allowed = "labels or one-hot rows for stratify=True"
            fail(split, "y", allowed, _short(labels), remedy)
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        allowed = "class labels, which numbers with fractions are not"
        fail(split, "stratify", allowed, _short(labels))
    return labels


def _is_one_hot(rows):
    return np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all()


def _row_values(name, values, count):
    values = _nested.to_numpy(values)
    if values.shape != (count,):
        allowed = f"an array of {count} values, one for each row"
        fail(split, name, allowed, _short(values))
    if values.dtype == object:
        try:
            np.sort(values)
        except TypeError:
            allowed = "an array of values of one kind, none of them missing"
            fail(split, name, allowed, _short(values))
    return values


def _short(values):
    if isinstance(values, bool):
        return values
    return f"array of shape {np.shape(values)}"

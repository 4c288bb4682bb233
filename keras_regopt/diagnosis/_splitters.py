"""Splitters, which choose the rows of the train, dev and test parts."""

import numpy as np

from keras_regopt._validate import fail

# Errors name the function that users call.
_OWNER = "split"

# With groups the best of this many random orders is taken.
_DRAWS = 200

# Products such as 0.2 * 5 must not count as a little more than 1.
_ROUNDING = 1e-9


def in_time_order(time, sizes):
    """Cuts rows in the order of their times.

    Args:
        time: An array of times, or `None` if the rows are in order.
        sizes: The number of rows of each part.

    Returns:
        Three arrays of rows.

    Raises:
        ValueError: If times are missing or fewer than three.
    """
    cuts = np.cumsum(sizes)[:2]
    if time is None:
        return np.split(np.arange(sum(sizes)), cuts)
    if not (time == time).all():
        fail(_OWNER, "time", "an array without missing times", time[:5])
    rows = np.argsort(time, kind="stable")
    time = time[rows]
    # Where a new time begins; only there can a part end.
    starts = np.flatnonzero(time[1:] != time[:-1]) + 1
    if len(starts) < 2:
        fail(_OWNER, "time", "an array of at least three times", time[:1])
    first = starts[np.abs(starts[:-1] - cuts[0]).argmin()]
    starts = starts[starts > first]
    return np.split(rows, [first, starts[np.abs(starts - cuts[1]).argmin()]])


def at_random(rows, sizes, random):
    """Draws rows at random, `sizes` of them for the three parts."""
    from sklearn.model_selection import ShuffleSplit

    splitter = ShuffleSplit(
        1,
        train_size=int(sizes[0]),
        test_size=int(sizes[1] + sizes[2]),
        random_state=random,
    )
    train, rest = next(splitter.split(rows))
    return rows[train], rows[rest[: sizes[1]]], rows[rest[sizes[1] :]]


def by_class(labels, fractions, random):
    """Draws rows so that each part has the proportions of the classes.

    Args:
        labels: The class of each row.
        fractions: The fractions of the parts.
        random: A `numpy.random.RandomState`.

    Returns:
        Three arrays of rows.

    Raises:
        ValueError: If a class has too few members.
    """
    classes, members = np.unique(labels, return_counts=True)
    counts = _class_counts(classes, members, np.asarray(fractions))
    drawn = [
        at_random(np.flatnonzero(labels == name), sizes, random)
        for name, sizes in zip(classes, counts, strict=True)
    ]
    parts = zip(*drawn, strict=True)
    return [random.permutation(np.concatenate(part)) for part in parts]


def _class_counts(classes, members, fractions):
    """Rows of each class in each part, within one row of the proportions.

    scikit-learn's stratified splitter makes two parts; used twice, its
    roundings add up to more than one row. Rounding a table so that cells and
    sums all stay within one always has a solution; this finds the nearest.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import eye, kron

    few = members < 3
    if few.any():
        _refuse_classes(classes[few], members[few])
    exact = members[:, None] * fractions
    lowest = np.maximum(np.floor(exact + _ROUNDING), 1)
    highest = np.maximum(np.ceil(exact - _ROUNDING), 1)
    sums = exact.sum(axis=0)
    rows = kron(eye(len(members)), np.ones((1, 3)))
    columns = kron(np.ones((1, len(members))), eye(3))
    found = milp(
        (0.5 - (exact - np.floor(exact))).ravel(),
        integrality=np.ones(exact.size),
        bounds=Bounds(lowest.ravel(), highest.ravel()),
        constraints=[
            LinearConstraint(rows, members, members),
            LinearConstraint(
                columns,
                np.floor(sums + _ROUNDING),
                np.ceil(sums - _ROUNDING),
            ),
        ],
    )
    if found.x is None:
        few = members == members.min()
        _refuse_classes(classes[few], members[few])
    return np.rint(found.x).astype(int).reshape(exact.shape)


def _refuse_classes(classes, members):
    few = dict(zip(classes.tolist()[:5], members.tolist(), strict=False))
    fail(
        _OWNER,
        "stratify",
        "labels with enough members of each class for one in every part",
        few,
        "Gather more of these classes, merge them, or drop `stratify`.",
    )


def whole_groups(groups, labels, fractions, random):
    """Draws whole groups, with sizes and classes near their proportions.

    Args:
        groups: The group of each row.
        labels: The class of each row.
        fractions: The fractions of the parts.
        random: A `numpy.random.RandomState`.

    Returns:
        Three arrays of rows.

    Raises:
        ValueError: If there are fewer than three groups, or a class is in
            too few of them.
    """
    names, group_of = np.unique(groups, return_inverse=True)
    if len(names) < 3:
        fail(_OWNER, "groups", "at least three groups", names.tolist())
    classes, class_of = np.unique(labels, return_inverse=True)
    table = np.zeros((len(names), len(classes)))
    np.add.at(table, (group_of, class_of), 1)
    wanted = np.outer(fractions, table.sum(axis=0))
    best, least = [], np.inf
    # scikit-learn's group splitters count groups; the sizes asked for are
    # rows, so the random orders are cut here, by rows.
    for _ in range(_DRAWS):
        order = random.permutation(len(names))
        parts = _cut_groups(order, table.sum(axis=1), fractions)
        got = np.array([table[part].sum(axis=0) for part in parts])
        if (got > 0).all() and np.abs(got - wanted).sum() < least:
            best, least = parts, np.abs(got - wanted).sum()
    if not best:
        allowed = "labels with each class in enough groups for every part"
        counts = (table > 0).sum(axis=0)
        found = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        fail(_OWNER, "stratify", allowed, found, "These are groups by class.")
    return [
        random.permutation(np.flatnonzero(np.isin(group_of, part)))
        for part in best
    ]


def _cut_groups(order, rows, fractions):
    ends = np.cumsum(rows[order])
    cuts = np.cumsum(fractions)[:2] * ends[-1]
    first = np.abs(ends[:-2] - cuts[0]).argmin()
    second = first + 1 + np.abs(ends[first + 1 : -1] - cuts[1]).argmin()
    return np.split(order, [first + 1, second + 1])

"""Leakage between the parts of a data set."""

import itertools
from typing import Any, NamedTuple

import numpy as np

from keras_regopt._validate import fail, in_range
from keras_regopt.diagnosis import _leaks, _nested


class Leak(NamedTuple):
    """One way in which a part of the data tells of another, or of the label.

    Attributes:
        kind: `"exact duplicates"`, `"near duplicates"`, `"shared groups"`,
            `"time order"` or `"label in the inputs"`.
        parts: The names of the parts, such as `("train", "dev")`.
        size: How many rows of the last part, groups or columns it concerns.
        evidence: What was found, as a sentence.
        remedy: What to do, as a sentence.
        where: The first of these rows, groups or columns, at most ten.
    """

    kind: str
    parts: tuple[str, ...]
    size: int
    evidence: str
    remedy: str
    where: tuple[Any, ...] = ()

    def __str__(self):
        return f"{' and '.join(self.parts)}: {self.evidence} {self.remedy}"


def check_split(
    parts: Any,
    *,
    groups: Any = None,
    time: Any = None,
    near: float | None = 0.02,
) -> tuple[Leak, ...]:
    """Looks for leakage between the parts of a split.

    A dev error is too low where dev rows are in the training data, too, or are
    near copies of rows there (frames of one film, crops of one image), where a
    group has rows in both, where training rows are later than dev rows, or
    where a column of the inputs tells the label by itself. It looks for each:

    - exact duplicates: rows of equal inputs in two parts, whatever the label;
    - near duplicates: a row whose nearest training row is nearer than `near`
      times the median distance from a training row to its nearest, columns
      being scaled by their standard deviations. It takes up to 2,000 rows of
      a part and of the training data, flattened;
    - groups in two parts, if `groups` is given;
    - a training time after the first dev or test time, if `time` is given;
    - a column by which two classes are told apart without error, by one
      threshold or one value for each class, or whose correlation with a
      numeric target exceeds 0.999.

    Args:
        parts: What `split` returned, or a dict of names and pairs `(x, y)`;
            the first is the training part.
        groups: The group of each row of the original arrays, if `parts` have
            `.indices`, or a dict of the parts' groups. Defaults to `None`.
        time: The time of each row, likewise. Defaults to `None`.
        near: How near counts as a near duplicate, in [0, 1), or `None` to look
            for none. Defaults to `0.02`.

    Returns:
        A tuple of `Leak` objects, empty if none was found; each prints as a
        sentence.

    Raises:
        ValueError: If `parts` are no pairs of arrays, or `groups` or `time`
            are of another length.

    Examples:
        >>> from keras_regopt.diagnosis import split
        >>> x = np.random.default_rng(0).normal(size=(60, 3))
        >>> parts = split(x, np.arange(60) % 2)
        >>> check_split(parts)
        ()
        >>> x = np.concatenate([x, x])
        >>> leaks = check_split(split(x, np.arange(120) % 2))
        >>> {leak.kind for leak in leaks}
        {'exact duplicates'}

    References:
        Kaufman et al. 2012, Leakage in data mining: formulation, detection,
        and avoidance.
    """
    in_range(check_split, "near", near, low=0, below=1, optional=True)
    pairs = _pairs(parts)
    found: list[Leak] = []
    flat = {name: _leaks.flat_rows(x) for name, (x, _) in pairs.items()}
    train = next(iter(pairs))
    for first, second in itertools.combinations(pairs, 2):
        rows = _leaks.equal_rows(flat[first], flat[second])
        found += _duplicates("exact", first, second, rows, pairs)
        if first == train and near is not None:
            rest = np.setdiff1d(np.arange(len(flat[second])), rows)
            rows = rest[_leaks.near_rows(flat[first], flat[second][rest], near)]
            found += _duplicates("near", first, second, rows, pairs)
    if groups is not None:
        found += _shared(_by_part("groups", groups, parts, pairs))
    if time is not None:
        found += _disordered(_by_part("time", time, parts, pairs))
    x, y = pairs[train]
    for path, column in _leaks.telling_columns(x, y):
        found.append(_telling(train, path, column))
    return tuple(found)


def _pairs(parts):
    named = parts if isinstance(parts, dict) else None
    if hasattr(parts, "_fields") and hasattr(parts, "train"):
        named = dict(zip(parts._fields, parts, strict=True))
    allowed = "what `split` returned, or a dict of names and pairs (x, y)"
    if not named or len(named) < 2:
        fail(check_split, "parts", allowed, type(parts).__name__)
    for name, pair in dict(named or {}).items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            fail(check_split, "parts", allowed, {name: type(pair).__name__})
        _nested.count(check_split, {"x": pair[0], "y": pair[1]})
    return {name: tuple(pair) for name, pair in dict(named or {}).items()}


def _by_part(argument, values, parts, pairs):
    if isinstance(values, dict):
        found = {n: _nested.to_numpy(values[n]) for n in pairs if n in values}
    else:
        values = _nested.to_numpy(values)
        members = parts if isinstance(parts, dict) else parts._asdict()
        rows = {n: getattr(p, "indices", None) for n, p in members.items()}
        most = max((np.max(r) for r in rows.values() if r is not None),
                   default=-1)  # fmt: skip
        if any(r is None for r in rows.values()) or len(values) <= most:
            allowed = (
                "a value for each row of what was split, or a dict by part"
            )
            fail(check_split, argument, allowed, np.shape(values))
        found = {name: values[index] for name, index in rows.items()}
    for name, own in found.items():
        count = _nested.count(check_split, {"x": pairs[name][0]})
        if len(own) != count:
            allowed = f"of {count} rows for the part {name!r}"
            fail(check_split, argument, allowed, np.shape(own))
    return found


def _duplicates(how, first, second, rows, pairs):
    if not len(rows):
        return []
    total = _nested.count(check_split, {"x": pairs[second][0]})
    what = "equal to" if how == "exact" else "nearly equal to"
    return [
        Leak(
            f"{how} duplicates",
            (first, second),
            len(rows),
            f"{len(rows)} of {total} rows of {second} are {what} rows of "
            f"{first}.",
            "Drop them, or keep copies together by split(groups=...).",
            tuple(rows[:10].tolist()),
        )
    ]


def _shared(groups):
    found = []
    for first, second in itertools.combinations(groups, 2):
        shared = np.intersect1d(groups[first], groups[second])
        if len(shared):
            evidence = f"{len(shared)} groups have rows in both."
            remedy = "Split by split(groups=...)."
            found.append(
                Leak(
                    "shared groups",
                    (first, second),
                    len(shared),
                    evidence,
                    remedy,
                    tuple(shared[:10].tolist()),
                )
            )
    return found


def _disordered(times):
    found = []
    first, *others = times
    for other in others:
        # Rows that are held out from training need not come after it.
        if other == "train_dev":
            continue
        early = np.flatnonzero(times[other] < times[first].max())
        if len(early):
            found.append(
                Leak(
                    "time order",
                    (first, other),
                    len(early),
                    f"{len(early)} of {len(times[other])} rows of {other} are "
                    f"before the last of {first}.",
                    "Split by split(time=...), if the model is for the future.",
                    tuple(early[:10].tolist()),
                )
            )
    return found


def _telling(train, path, column):
    place = path if column is None else f"column {column} of {path}"
    return Leak(
        "label in the inputs",
        (train,),
        1,
        f"The target follows from {place} alone.",
        "See that it is known before the target is; else drop it.",
        (place,),
    )

"""Labels that are wrong, or do not go with the inputs."""

from typing import Any

import numpy as np

from keras_regopt._validate import fail
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis.checks.base import Check, Skip

_FOLDS = 4


def label_issues(labels: Any, probabilities: Any) -> np.ndarray:
    """Rows whose label is probably wrong, by confident learning.

    A row is suspicious if another class is likelier than its own, and as
    likely as that class is on average where it is the label. The
    probabilities must come from a model that has not seen the row: from the
    folds of a cross-validation.

    Args:
        labels: The classes, integers from 0, with one axis.
        probabilities: A row of the classes' probabilities for each label.

    Returns:
        The indices of the suspicious rows, the most suspicious first.

    Raises:
        ValueError: If the two do not fit together.

    Examples:
        >>> p = np.array([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 5)
        >>> label_issues([0, 0, 0, 0, 1, 1, 1, 1, 1, 1], p).tolist()
        [4]

    References:
        Northcutt, Jiang and Chuang 2021, Confident learning: estimating
        uncertainty in dataset labels.
    """
    labels = np.asarray(labels)
    probabilities = np.asarray(probabilities, "float64")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        fail(label_issues, "labels", "integers with one axis", labels.shape)
    classes = labels.max(initial=0) + 1
    if (
        probabilities.ndim != 2
        or len(probabilities) != len(labels)
        or probabilities.shape[1] < classes
    ):
        allowed = f"of shape ({len(labels)}, {classes} or more)"
        fail(label_issues, "probabilities", allowed, probabilities.shape)
    own = probabilities[np.arange(len(labels)), labels]
    limits = np.full(probabilities.shape[1], np.inf)
    for number in np.unique(labels):
        limits[number] = own[labels == number].mean()
    confident = np.where(probabilities >= limits - 1e-12, probabilities, -1.0)
    best = confident.argmax(axis=1)
    sure = confident.max(axis=1)
    suspicious = np.flatnonzero((sure > 0) & (best != labels) & (sure > own))
    margin = own[suspicious] - probabilities[suspicious].max(axis=1)
    return suspicious[np.argsort(margin, kind="stable")]


class LabelNoise(Check):
    """Labels that are probably wrong, by confident learning over folds.

    Two quick classifiers, a support vector machine and nearest neighbors,
    predict each row from folds that do not hold it. Where they know little
    themselves, nothing is said.
    """

    name = "label_noise"

    def run(self, case):
        rows = case.rows
        guessed, numbers = out_of_fold(case)
        right = (guessed.argmax(axis=1) == numbers).mean()
        counts = np.bincount(numbers)
        if right < 0.8 or right < 1 - 0.5 * (1 - counts.max() / len(rows)):
            raise Skip(
                f"quick classifiers are right in {right:.0%} of the rows: too "
                "few to judge labels by"
            )
        found = label_issues(numbers, guessed)
        # What these classifiers get wrong of clean data.
        if len(found) >= max(5, 0.025 * len(rows)):
            first = rows[found][:10].tolist()
            yield self.finding(
                f"{len(found)} of {len(rows)} labels are probably wrong "
                f"({len(found) / len(rows):.1%}). The most suspicious rows: "
                f"{first}.",
                "Look at these rows and correct them; else train with "
                "`label_smoothing`, and stop early.",
            )


class Signal(Check):
    """Whether the targets depend on the inputs at all.

    Quick models predict the targets from folds that do not hold them, and the
    outcome is compared with that of shuffled targets. Where they do no
    better, inputs and targets may have been shuffled apart; or the relation
    is one that only a network finds, so this is a warning.
    """

    name = "signal"

    def run(self, case):
        rows = case.rows
        if len(rows) < 50:
            raise Skip("there are fewer than 50 rows")
        try:
            case.labels()
        except Skip:
            yield from self._numbers(case)
            return
        guessed, numbers = out_of_fold(case)
        # A likelihood tells more than which class is first, above all where
        # one has most rows.
        logs = np.log(np.maximum(guessed, 1e-3))
        every = np.arange(len(rows))
        yield from self._judged(case, lambda order: logs[every, numbers[order]])

    def _numbers(self, case):
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.model_selection import KFold, cross_val_predict

        rows = case.rows
        y = case.target[rows].astype("float64").reshape(len(rows), -1)[:, :8]
        y = (y - y.mean(axis=0)) / np.maximum(y.std(axis=0), 1e-12)
        forest = ExtraTreesRegressor(
            40, min_samples_leaf=3, random_state=0, max_features=0.5
        )
        folds = KFold(_FOLDS, shuffle=True, random_state=0)
        outputs = y[:, 0] if y.shape[1] == 1 else y
        guess = cross_val_predict(forest, _scaled(case), outputs, cv=folds)
        guess = guess.reshape(len(rows), -1)
        yield from self._judged(
            case, lambda order: (guess * y[order]).mean(axis=1)
        )

    def _judged(self, case, outcomes):
        """Compares the mean outcome with that of targets in other orders."""
        random = case.random("signal")
        count = len(case.rows)
        own = outcomes(np.arange(count)).mean()
        chance = [
            outcomes(random.permutation(count)).mean() for _ in range(200)
        ]
        if own <= np.mean(chance) + 3.5 * np.std(chance):
            yield self.finding(
                f"The targets do not seem to depend on the inputs: quick "
                f"models do no better for {count} rows than with shuffled "
                "targets.",
                "See whether inputs and targets are in the same order: "
                "something may have shuffled one of them.",
            )


def out_of_fold(case):
    """Probabilities of each row's classes, from folds without the row.

    Args:
        case: A `CheckCase`, of whose rows they are.

    Returns:
        The probabilities, and the classes as integers from 0.
    """
    if "out_of_fold" not in case.found:
        case.found["out_of_fold"] = _out_of_fold(case)
    return case.found["out_of_fold"]


def _out_of_fold(case):
    from sklearn.model_selection import StratifiedKFold
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    labels = case.labels()[case.rows]
    known, numbers = np.unique(labels, return_inverse=True)
    if len(known) < 2 or np.bincount(numbers).min() < 2 * _FOLDS:
        raise Skip(f"a class has fewer than {2 * _FOLDS} rows")
    x = _scaled(case)
    seed = case.random("folds").randint(2**31)
    guessed = np.zeros((len(x), len(known)))
    for train, held in StratifiedKFold(
        _FOLDS, shuffle=True, random_state=seed
    ).split(x, numbers):
        near = KNeighborsClassifier(min(12, len(train)), weights="distance")
        guessed[held] += near.fit(x[train], numbers[train]).predict_proba(
            x[held]
        )
        machine = SVC(C=3).fit(x[train], numbers[train])
        guessed[held] += _softmax(machine.decision_function(x[held]))
    return guessed / 2, numbers


def _softmax(scores):
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    scores = np.exp(2 * (scores - scores.max(axis=1, keepdims=True)))
    return scores / scores.sum(axis=1, keepdims=True)


def _scaled(case):
    """The inputs for quick models: scaled, and integers also counted."""
    x = np.nan_to_num(case.columns(rows=case.rows).astype("float64"))
    spread = x.std(axis=0)
    # One scale for all, so that the border of an image stays quiet, where
    # the columns are of one kind.
    used = spread[spread > 0]
    if len(used) and used.max() > 30 * np.median(used):
        x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    x = x - x.mean(axis=0)
    counts = _counts(case)
    if counts is None:
        return x
    # As many words, as much weight.
    return np.concatenate([x / max(x.std(), 1e-12), 3 * counts], axis=1)


def _counts(case):
    """How often each id occurs in a row of ids, or `None` for others."""
    leaves = list(_nested.leaves(case.x, "x").values())
    ids = _nested.to_numpy(_nested.take(leaves[0], case.rows))
    if len(leaves) > 1 or ids.ndim != 2 or ids.dtype.kind not in "iu":
        return None
    if ids.min() < 0 or ids.max() >= 5000 or ids.shape[1] < 2:
        return None
    counts = np.zeros((len(ids), ids.max() + 1))
    np.add.at(counts, (np.arange(len(ids))[:, None], ids), 1)
    return counts - counts.mean(axis=0)

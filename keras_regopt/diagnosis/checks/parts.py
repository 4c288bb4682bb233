"""Rows that two parts share, columns that tell the label, and mismatch."""

import numpy as np

from keras_regopt.diagnosis.checks.base import Check, Skip

_ROWS = 1000


class Leakage(Check):
    """What the training data give away of the dev data, and of the label.

    Looks for dev rows that are in the training data, exactly or nearly, and
    for a single column that tells the class or the target.
    """

    name = "leakage"
    severity = "error"

    def run(self, case):
        columns = case.columns()
        found = list(self._telling(case, columns))
        yield from found
        if case.dev is None:
            if not found:
                raise Skip("there are no dev data: pass dev=(x_dev, y_dev)")
            return
        yield from self._shared(case)

    def _shared(self, case):
        train = case.columns(rows=np.arange(case.count))
        dev = case.columns(case.dev_part()[0])
        if train.shape[1] != dev.shape[1]:
            raise Skip("the dev inputs are of another shape")
        known = {row.tobytes() for row in train}
        same = np.array([row.tobytes() in known for row in dev])
        # Rows of few values, as of categories, meet by chance.
        own = len(known) / len(train)
        if same.mean() > 0.01 and own > 0.5:
            yield self.finding(
                f"{int(same.sum())} of {len(dev)} dev rows are in the "
                "training data.",
                "Drop the copies, then split; or split with `groups=`.",
            )
        near = self._near(case, train, dev[~same])
        if near is not None:
            yield self.finding(
                f"{int(near.sum())} of {len(near)} dev rows are nearly copies "
                "of training rows: their nearest neighbor is at a hundredth "
                "of the usual distance.",
                "Keep what belongs together in one part: "
                "`split(x, y, groups=ids)`.",
                "warning",
            )

    def _near(self, case, train, dev):
        if len(dev) < 20 or train.shape[1] < 3:
            return None
        from sklearn.neighbors import NearestNeighbors

        random = case.random("near")
        dev = dev[random.permutation(len(dev))[:_ROWS]]
        scale = train.std(axis=0)
        scale = np.where(scale > 0, scale, 1)
        neighbors = NearestNeighbors(n_neighbors=1).fit(train / scale)
        distance = neighbors.kneighbors(dev / scale)[0][:, 0]
        # The usual distance of two rows; neighbors may all be copies.
        other = train[random.randint(0, len(train), len(dev))]
        usual = np.linalg.norm((other - dev) / scale, axis=1)
        near = distance < 0.01 * np.median(usual)
        # Rows that lie densely, on a line, come ever nearer; copies leave a
        # gap between themselves and the others.
        less = distance < 0.04 * np.median(usual)
        return near if near.mean() > max(0.05, 0.5 * less.mean()) else None

    def _telling(self, case, columns):
        if columns.shape[1] > 200 or len(columns) < 50:
            return
        y = case.target[case.rows]
        try:
            labels = case.labels()[case.rows]
        except Skip:
            labels = None
        if labels is None:
            told = _correlated(columns, y)
        else:
            told = _separating(columns, labels)
        for column, evidence in told:
            yield self.finding(
                f"Column {column} of the inputs {evidence}.",
                "See whether it is known at the time of the prediction; if "
                "not, leave it out.",
                "warning",
            )


class Mismatch(Check):
    """Whether dev rows can be told from training rows.

    A random forest is trained to tell the two parts apart. Rows from one
    source leave it at an area under the curve of one half.
    """

    name = "mismatch"

    def run(self, case):
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import cross_val_predict

        random = case.random("mismatch")
        train = case.columns(rows=case.rows[:_ROWS])
        dev = case.columns(case.dev_part()[0])
        dev = dev[random.permutation(len(dev))[:_ROWS]]
        if train.shape[1] != dev.shape[1]:
            raise Skip("the dev inputs are of another shape")
        if min(len(train), len(dev)) < 30:
            raise Skip("there are fewer than 30 rows in a part")
        rows = np.nan_to_num(np.concatenate([train, dev]))
        part = np.repeat([0, 1], [len(train), len(dev)])
        order = random.permutation(len(rows))
        rows, part = rows[order], part[order]
        forest = RandomForestClassifier(
            40,
            min_samples_leaf=3,
            random_state=random.randint(2**31),
            class_weight="balanced",
        )
        guess = cross_val_predict(
            forest, rows, part, cv=3, method="predict_proba"
        )[:, 1]
        area = roc_auc_score(part, guess)
        # Of ranks, under no difference.
        error = np.sqrt((len(rows) + 1) / (12 * len(train) * len(dev)))
        if area - 3.5 * error > 0.5 and area > 0.6:
            forest.fit(rows, part)
            telling = np.argsort(forest.feature_importances_)[::-1][:3]
            yield self.finding(
                f"Dev rows can be told from training rows: area under the "
                f"curve {area:.2f} (0.5 if they were alike). Columns that "
                f"tell most: {telling.tolist()}.",
                "Collect or make training data like the dev data, or split "
                "again; pass `train_dev=` to `diagnose`.",
            )


def _correlated(columns, y):
    if y.dtype.kind not in "fiu" or y.size != len(y):
        return
    y = y.reshape(-1).astype("float64")
    for column in range(columns.shape[1]):
        x = columns[:, column].astype("float64")
        if np.isfinite(x).all() and x.std() > 0 and y.std() > 0:
            r = np.corrcoef(x, y)[0, 1]
            if abs(r) > 0.999:
                yield column, f"is the target (correlation {r:.4f})"


def _separating(columns, labels):
    """Columns that alone tell (nearly) every row's class, unlike others."""
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < 3:
        return
    # A column between two and 0.99 is strong; one of 0.995 is the answer.
    good = [
        column
        for column in range(columns.shape[1])
        if _between(columns[:, column], labels) > 0.8
    ]
    for column in good:
        tree = DecisionTreeClassifier(max_leaf_nodes=2 * len(classes))
        x = np.nan_to_num(columns[:, [column]])
        score = cross_val_score(tree, x, labels, cv=3).mean()
        if score > 0.995 > counts.max() / len(labels) + 0.005:
            yield column, f"alone tells the class in {score:.1%} of the rows"


def _between(x, labels):
    """A quick bound: the part of the ranks' variance between the classes."""
    ranks = np.argsort(np.argsort(x, kind="stable")).astype("float64")
    total = ranks.var()
    if total == 0:
        return 0.0
    within = sum(
        ranks[labels == c].var() * np.mean(labels == c)
        for c in np.unique(labels)
    )
    return 1 - within / total if len(np.unique(labels)) > 2 else 1.0

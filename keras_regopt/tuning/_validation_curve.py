"""The result of `validation_curve`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from keras_regopt.tuning._fold_curve import FoldCurve

_LEVEL = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class ValidationCurve(FoldCurve):
    """Scores by the value of one argument. Made by `validation_curve`.

    Attributes:
        metric: The name of the metric that was judged.
        is_score: Whether higher is better; its error is one minus the score.
        name: The name of the argument.
        values: Its values, a tuple.
        train_scores: The metric on the training rows, an array of one row a
            value and one column a fold.
        dev_scores: The metric on the rows of the fold, likewise.
        train_errors: The errors on the training rows, an array like these.
        dev_errors: The errors on the rows of the fold, likewise.

    Examples:
        >>> errors = np.array([[0.3, 0.32], [0.1, 0.12], [0.2, 0.24]])
        >>> curve = ValidationCurve(
        ...     "error", False, "units", (1, 4, 16), errors / 2, errors
        ... )
        >>> curve.best
        4
    """

    metric: str
    is_score: bool
    name: str
    values: tuple[Any, ...]
    train_scores: np.ndarray
    dev_scores: np.ndarray

    @property
    def best(self):
        """The value of the lowest mean dev error; `None` if none is finite."""
        index = self._best
        return None if index is None else self.values[index]

    @property
    def not_worse(self):
        """The values whose dev error is not clearly higher than the lowest.

        Their errors are compared fold by fold, by a paired t-test at 95 %. A
        tuple, in which the best value stands as well.
        """
        index = self._best
        if index is None:
            return ()
        errors = self.dev_errors
        return tuple(
            value
            for number, value in enumerate(self.values)
            if number == index or not _higher(errors[number] - errors[index])
        )

    @property
    def verdict(self):
        """Which value is best, and whether to look beyond the range."""
        index = self._best
        if index is None:
            return "cannot tell: no mean dev error is finite"
        train, dev = (
            float(np.mean(errors[index]))
            for errors in (self.train_errors, self.dev_errors)
        )
        text = (
            f"{self.name}={self.values[index]!r} has the lowest dev error, "
            f"{dev:.4g} (in training {train:.4g})"
        )
        alike = [v for v in self.not_worse if v != self.values[index]]
        if alike:
            text += f"; not clearly worse: {', '.join(map(repr, alike))}"
        numeric = all(
            isinstance(value, (int, float)) and not isinstance(value, bool)
            for value in self.values
        )
        if numeric and len(self.values) > 1:
            best = self.values[index]
            for edge, word in ((min, "lower"), (max, "higher")):
                if best == edge(self.values):
                    text += f"; try {word} values, too"
        return text

    def __repr__(self):
        return f"<ValidationCurve of {self.metric}: {self.verdict}>"

    def as_dict(self):
        """The curve as plain values, which `json.dumps` accepts."""
        return {
            "metric": self.metric,
            "name": self.name,
            "values": list(self.values),
            "train_scores": self.train_scores.tolist(),
            "dev_scores": self.dev_scores.tolist(),
            "best": self.best,
            "verdict": self.verdict,
        }

    def figure(self):
        """The errors of training and dev by value.

        Returns:
            A `matplotlib.figure.Figure`, free of pyplot.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        from keras_regopt.tuning._curve_figures import validation_curve_figure

        return validation_curve_figure(self)

    @property
    def _best(self):
        """The index of the best value, or `None`."""
        means = np.mean(self.dev_errors, axis=1)
        return None if np.isnan(means).all() else int(np.nanargmin(means))

    def _table(self):
        header = [self.name, "train error", "dev error", "std. dev."]
        errors = zip(
            self.values, self.train_errors, self.dev_errors, strict=True
        )
        rows = [
            [
                value,
                f"{np.mean(train):.4g}",
                f"{np.mean(dev):.4g}",
                f"{np.std(dev, ddof=1):.2g}" if len(dev) > 1 else "",
            ]
            for value, train, dev in errors
        ]
        return header, rows

    def _sentence(self):
        return self.verdict


def _higher(differences):
    """Whether differences, one a fold, are clearly above zero on average."""
    mean, folds = np.mean(differences), len(differences)
    if folds < 2 or not np.isfinite(mean):
        return bool(folds >= 2)
    error = np.std(differences, ddof=1) / folds**0.5
    return bool(mean > stats.t.ppf(_LEVEL, folds - 1) * error)

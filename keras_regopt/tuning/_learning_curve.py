"""The result of `learning_curve`."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from keras_regopt._validate import in_range, positive_int
from keras_regopt.tuning import _power_law
from keras_regopt.tuning._fold_curve import FoldCurve

_DRAWS = 1000
# A law has three unknowns.
_LEAST_SIZES = 4
_BAND = (0.05, 0.95)


@dataclass(frozen=True, eq=False, repr=False)
class LearningCurve(FoldCurve):
    """Scores by the number of training rows, and what more rows would bring.

    Made by `learning_curve`.

    Attributes:
        metric: The name of the metric that was judged.
        is_score: Whether higher is better; its error is one minus the score.
        sizes: The numbers of training rows, a growing tuple.
        train_scores: The metric on the training rows, an array of one row a
            size and one column a fold.
        dev_scores: The metric on the rows of the fold, likewise.
        train_errors: The errors on the training rows, an array like these.
        dev_errors: The errors on the rows of the fold, likewise.
        reference: The lowest error that can be reached.
        worthwhile: The fraction of the error that twice the rows must save.
        seed: Seed of the bootstrap.

    Examples:
        >>> sizes = (100, 200, 400, 800)
        >>> errors = np.array([[0.2], [0.14], [0.1], [0.07]])
        >>> errors = errors + [[-0.001, 0.0, 0.001]]
        >>> curve = LearningCurve("error", False, sizes, errors / 9, errors)
        >>> curve.verdict
        'more data'
        >>> low, middle, high = curve.predict(1600)
        >>> round(middle, 2)
        0.05
    """

    metric: str
    is_score: bool
    sizes: tuple[int, ...]
    train_scores: np.ndarray
    dev_scores: np.ndarray
    reference: float = 0.0
    worthwhile: float = 0.1
    seed: int = 0

    @property
    def verdict(self):
        """`"more data"`, `"a larger model"`, `"at the reference"` or `"cannot
        tell"`."""
        return self._judged[0]

    @property
    def reason(self):
        """A sentence with the values that led to the verdict."""
        return self._judged[1]

    @property
    def gain(self):
        """What twice the rows would save of the error above the reference.

        Returns:
            A tuple of fractions: the band's lower end, its middle, its upper
            end. Of an error that cannot be continued, `nan`.
        """
        if self._obstacle:
            return (math.nan,) * 3
        now, then = (
            self._law.error(self.sizes[-1] * times) - self.reference
            for times in (1, 2)
        )
        return _band(1 - then / np.maximum(now, 1e-12))

    def predict(self, rows: int):
        """The dev error that so many training rows would bring.

        Args:
            rows: The number of rows, at least 1.

        Returns:
            A tuple: the lower end of the band of 90 %, its middle, its upper
            end. Of an error that cannot be continued, `nan`.

        Raises:
            ValueError: If `rows` is no such number.
        """
        positive_int(self, "rows", rows)
        if self._obstacle:
            return (math.nan,) * 3
        return _band(self._law.error(rows))

    def rows_for(self, error: float):
        """The training rows that would bring the dev error down to a value.

        Args:
            error: The error, above 0.

        Returns:
            A tuple: the lower end of the band of 90 %, its middle, its upper
            end; `inf` where no number of rows would. Of an error that cannot
            be continued, `nan`. Beyond ten times the largest size it says
            little.

        Raises:
            ValueError: If `error` is no such number.
        """
        in_range(self, "error", error, above=0)
        if self._obstacle:
            return (math.nan,) * 3
        return _band(self._law.rows(error), method="nearest")

    def __repr__(self):
        return f"<LearningCurve of {self.metric}: {self.verdict}>"

    def as_dict(self):
        """The curve as plain values, which `json.dumps` accepts."""
        low, middle, high = self.gain
        return {
            "metric": self.metric,
            "sizes": list(self.sizes),
            "train_scores": self.train_scores.tolist(),
            "dev_scores": self.dev_scores.tolist(),
            "verdict": self.verdict,
            "reason": self.reason,
            "gain": None if self._obstacle else [low, middle, high],
        }

    def figure(self):
        """The errors by size, the law and its band up to four times the rows.

        Returns:
            A `matplotlib.figure.Figure`, free of pyplot.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        from keras_regopt.tuning._curve_figures import learning_curve_figure

        return learning_curve_figure(self)

    def _table(self):
        header = ["rows", "train error", "dev error", "± std. err."]
        errors = zip(
            self.sizes, self.train_errors, self.dev_errors, strict=True
        )
        rows = [
            [size, f"{np.mean(train):.4g}", f"{np.mean(dev):.4g}", _error(dev)]
            for size, train, dev in errors
        ]
        return header, rows

    def _sentence(self):
        return f"{self.verdict.capitalize()}: {self.reason}"

    @functools.cached_property
    def _law(self):
        errors = _power_law.draws(self.dev_errors, _DRAWS, self.seed)
        return _power_law.fit(self.sizes, errors)

    @functools.cached_property
    def _obstacle(self):
        """Why the curve cannot be continued, or an empty string."""
        errors = self.dev_errors
        if not (np.isfinite(errors).all()):
            sizes = np.array(self.sizes)[~np.isfinite(errors).all(axis=1)]
            return f"the error at {_listed(sizes)} rows is not finite."
        if len(self.sizes) < _LEAST_SIZES:
            return (
                f"{len(self.sizes)} sizes are too few to continue the curve; "
                f"measure {_LEAST_SIZES} or more."
            )
        if errors.shape[1] < 2:
            return "a single fold does not tell how far the errors scatter."
        if errors.min() < 0:
            return (
                f"the error falls below zero, to {errors.min():.4g}, and is no "
                "power law then; take another `monitor`."
            )
        return ""

    @functools.cached_property
    def _judged(self):
        if self._obstacle:
            return "cannot tell", self._obstacle
        error = float(np.mean(self.dev_errors[-1]))
        if self.reference and error <= self.reference:
            return "at the reference", (
                f"the dev error is {error:.4g}, and the lowest that can be "
                f"reached is given as {self.reference:.4g}."
            )
        low, middle, high = self.gain
        twice = (
            f"twice the rows would save {100 * middle:.0f} % of the error "
            f"({100 * low:.0f} to {100 * high:.0f} %)"
        )
        if low > self.worthwhile:
            return "more data", f"{twice}, from {error:.4g}."
        if high > self.worthwhile:
            return "cannot tell", (
                f"{twice}, and {100 * self.worthwhile:.0f} % would be "
                "worthwhile: the band is too wide. Measure more folds "
                "(`RepeatedStratifiedKFold`) or more sizes."
            )
        train = float(np.mean(self.train_errors[-1]))
        both = f"the error is {train:.4g} in training and {error:.4g} on dev"
        if train - self.reference > (error - self.reference) / 2:
            return "a larger model", (
                f"{twice}, and {both}: train longer, then take a larger model; "
                "or this is what the noise in the data leaves (then give it "
                "as `reference`)."
            )
        return "cannot tell", (
            f"{twice}, yet {both}: it overfits, and more rows like these do "
            "not help. Look for wrong labels, and regularize."
        )


def _band(values, method="linear"):
    low, middle, high = np.quantile(
        values, [_BAND[0], 0.5, _BAND[1]], method=method
    )
    return float(low), float(middle), float(high)


def _error(values):
    """The standard error of the mean of the folds, as text."""
    if len(values) < 2:
        return ""
    return f"{np.std(values, ddof=1) / len(values) ** 0.5:.2g}"


def _listed(values):
    return ", ".join(str(value) for value in values)

"""The result of `recipe`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import keras

from keras_regopt.diagnosis import CheckResult, Diagnosis
from keras_regopt.tuning._learning_curve import LearningCurve


@dataclass(frozen=True, eq=False, repr=False)
class RecipeResult:
    """What `recipe` has done, and the model that it made.

    Attributes:
        model: The best model, trained on the train and dev rows; `None` where
            the checks found errors.
        outcome: `"fits"`, `"the data are the limit"`, `"no remedy is left"`,
            `"the budget is spent"`, `"undecided"` or `"the checks found
            errors"`.
        reason: A sentence that says why it ended there.
        checks: What `check` found in the plain model and the data.
        baseline: The diagnosis of the plain model, or `None`.
        diagnosis: The diagnosis of the last model, trained on the train part
            alone, or `None`.
        chosen: Dict of the remedies that helped and their strengths.
        tries: List of a dict for each remedy: `"remedy"`, `"strength"`, the
            `"error"` of the folds with it and `"before"`, the standard
            `"error of the gain"`, and whether it was `"kept"`.
        trials: List of a dict for each cross-validation, the best first:
            `"hyperparameters"`, `"mean"` and `"scores"`, which are errors.
        curve: The learning curve, or `None` if none was called for.
        test: List of a dict for the plain and the best model: `"model"`, the
            metric on the test part, its `"error"`, `"std. err."` for an
            accuracy, and `"rows"`.
        trainings: How many trainings it took.
        report: The path of the report, or `None`.
        parts: Function without arguments that makes the arguments of `build`
            for what was chosen, as in `build(**result.parts())`; each model
            needs parts of its own.
    """

    model: keras.Model | None
    outcome: str
    reason: str
    checks: CheckResult
    baseline: Diagnosis | None
    diagnosis: Diagnosis | None
    chosen: dict[str, Any]
    tries: list[dict]
    trials: list[dict]
    curve: LearningCurve | None
    test: list[dict]
    trainings: int
    report: str | None
    parts: Callable[[], dict[str, Any]]

    def __repr__(self):
        return f"<RecipeResult: {self.outcome}>"

    def __str__(self):
        return self.text()

    def _repr_html_(self):
        return f"<pre>{escape(self.text())}</pre>"

    @property
    def summary(self):
        """A sentence that says what was gained on the test part."""
        if len(self.test) < 2:
            return "Nothing was changed: the best model is the plain one."
        plain, best = (row["error"] for row in self.test)
        if plain == best:
            return f"The test error stayed at {best:.4g}."
        verb = "fell" if best < plain else "rose"
        told = f"The test error {verb} from {plain:.4g} to {best:.4g}"
        errors = [row.get("std. err.", 0) for row in self.test]
        if abs(plain - best) > 2 * math.hypot(*errors):
            return f"{told}."
        rows = self.test[0]["rows"]
        return f"{told}, no clear difference with {rows} test rows."

    def text(self):
        """The result as lines of text."""
        lines = [f"{self.outcome.capitalize()}. {self.reason}"]
        for each in self.tries:
            word = "kept" if each["kept"] else "left out"
            lines.append(
                f"  {each['remedy']} = {each['strength']:.3g}: error "
                f"{each['before']:.4g} -> {each['error']:.4g}, {word}"
            )
        if self.test:
            lines.append(self.summary)
        if self.report:
            lines.append(f"Report: {self.report}")
        return "\n".join(lines)

    def as_dict(self):
        """The result as plain values, which `json.dumps` accepts."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "checks": self.checks.as_dict(),
            "baseline": self.baseline and self.baseline.as_dict(),
            "diagnosis": self.diagnosis and self.diagnosis.as_dict(),
            "chosen": dict(self.chosen),
            "tries": list(self.tries),
            "trials": list(self.trials),
            "curve": self.curve and self.curve.as_dict(),
            "test": list(self.test),
            "trainings": self.trainings,
            "report": self.report,
        }

"""The steps of a recipe, from the checks to the test."""

import math
from functools import partial

import numpy as np

from keras_regopt.diagnosis import CheckResult, check, diagnose
from keras_regopt.diagnosis._curves import choose_metric
from keras_regopt.diagnosis._metric_names import is_score
from keras_regopt.tuning._learning_curve import LearningCurve
from keras_regopt.tuning._recipe_data import joined, rows_of
from keras_regopt.tuning._recipe_report import write_study
from keras_regopt.tuning._recipe_trainings import SIZES, Trainings
from keras_regopt.tuning._remedies import applies, called_for, made
from keras_regopt.tuning.recipe_result import RecipeResult

# The plain and the best model, on train and dev rows.
_FINAL = 2


class RecipeRun:
    """Runs a recipe.

    Args:
        owner: The function to name in errors.
        build: Function of parts that returns a compiled model.
        parts: The train, dev and test parts.
        remedies: List of the remedies that may be tried.
        options: The arguments of the recipe, by name.
    """

    def __init__(self, owner, build, parts, remedies, options):
        self.owner, self.parts = owner, parts
        self.remedies, self.options = remedies, options
        self.rows = joined(parts.train, parts.dev)
        self.trainings = Trainings(owner, build, self.rows, options)
        self.chosen: dict[str, float] = {}
        self.tries: list[dict] = []
        self.tried: set[str] = set()
        self._scores: dict[tuple, tuple] = {}

    def result(self):
        """The `RecipeResult`."""
        with self.trainings.project():
            return self._result()

    def _result(self):
        self._say("Checks of the plain model")
        checks = self._checks()
        for finding in checks.alarms:
            self._say(f"  {finding.severity}: {finding.evidence}")
        if any(f.severity == "error" for f in checks.findings):
            return self._broken(checks)
        self._say("The plain model")
        baseline = diagnosis = self._diagnosis()
        left_over = ""
        while called_for(diagnosis) and len(self.tried) < self.options.most:
            remedy = self._next(called_for(diagnosis))
            if remedy is None:
                break
            if not self._affords(self._cost(remedy)):
                left_over = "the budget is spent"
                break
            if self._try(remedy):
                diagnosis = self._diagnosis()
        curve, outcome, reason = self._outcome(diagnosis, left_over)
        self._say(f"{outcome.capitalize()}. {reason}")
        model, test = self._test()
        return self._reported(
            model=model,
            outcome=outcome,
            reason=reason,
            checks=checks,
            baseline=baseline,
            diagnosis=diagnosis,
            curve=curve,
            test=test,
        )

    def _checks(self):
        """What `check` finds; also learns of the plain optimizer."""
        model = self.trainings.new({})
        if not self.options.checks:
            return CheckResult((), (), {}, {})
        return check(
            model,
            *self.parts.train,
            dev=tuple(self.parts.dev),
            checks=self.options.checks,
            batch_size=self.options.fit.get("batch_size") or 32,
        )

    def _broken(self, checks):
        """The result where the plain model or the data have an error."""
        errors = [f for f in checks.findings if f.severity == "error"]
        return self._reported(
            model=None,
            outcome="the checks found errors",
            reason=f"Mend these first: {errors[0].evidence} {errors[0].remedy}",
            checks=checks,
            baseline=None,
            diagnosis=None,
            curve=None,
            test=[],
        )

    def _diagnosis(self):
        """The diagnosis of the model with what is chosen so far."""
        train, dev = tuple(self.parts.train), tuple(self.parts.dev)
        model, history = self.trainings.fit("train", self.chosen, train, dev)
        options = self.options
        found = diagnose(
            history.history,
            model=model,
            train=train,
            dev=dev,
            monitor=options.monitor,
            mode=options.mode,
            reference=options.reference,
            bias_tolerance=options.tolerance,
            variance_tolerance=options.tolerance,
        )
        self._say(
            f"  {found.verdict}: training error "
            f"{_shown(found.train_error)}, dev error {_shown(found.dev_error)}"
        )
        return found

    def _next(self, gaps):
        """The first remedy for a gap that was not tried, or `None`."""
        for gap in gaps:
            for remedy in self.remedies:
                fits = remedy.cures == gap and remedy.name not in self.tried
                if fits and applies(
                    remedy, self.rows[0], self.trainings.optimizer
                ):
                    return remedy
        return None

    def _cost(self, remedy):
        """The trainings that a remedy takes."""
        new = len(remedy.strengths) + (_key(self.chosen) not in self._scores)
        # And one to diagnose.
        return new * self.options.folds + 1

    def _affords(self, count):
        """Whether the budget allows so many trainings, and then the test."""
        return self.trainings.count + count + _FINAL <= self.options.budget

    def _try(self, remedy):
        """Cross-validates the strengths; whether one of them helps."""
        self.tried.add(remedy.name)
        self._say(f"{remedy.name}, for {remedy.cures}")
        before = self._errors(self.chosen)
        found = {}
        for strength in remedy.strengths:
            errors = self._errors({**self.chosen, remedy.name: strength})
            self._say(
                f"  {strength:.3g}: error {np.mean(errors):.4g} "
                f"(without {np.mean(before):.4g})"
            )
            # What is not finite never is the best.
            mean = float(np.mean(errors))
            found[strength] = mean if math.isfinite(mean) else math.inf
        best = min(found, key=lambda strength: found[strength])
        # Where a training diverged, there is no gain.
        with np.errstate(invalid="ignore"):
            gain = before - self._errors({**self.chosen, remedy.name: best})
        error = float(np.std(gain, ddof=1) / len(gain) ** 0.5)
        kept = bool(math.isfinite(found[best]) and np.mean(gain) > error)
        self.tries.append(
            {
                "remedy": remedy.name,
                "strength": best,
                "before": float(np.mean(before)),
                "error": found[best],
                "error of the gain": error,
                "kept": kept,
            }
        )
        if kept:
            self.chosen = {**self.chosen, remedy.name: best}
        word = f"{best:.3g} is kept" if kept else "left out"
        self._say(f"  {remedy.name}: {word}")
        return kept

    def _errors(self, settings):
        """The dev errors of the folds."""
        key = _key(settings)
        if key not in self._scores:
            self._scores[key] = settings, self.trainings.scores(settings)
        return self._scores[key][1]

    def _outcome(self, diagnosis, left_over):
        """The learning curve or `None`, the outcome and the reason."""
        gaps = called_for(diagnosis)
        if diagnosis.verdict == "fits":
            return None, "fits", "No gap is high."
        if not gaps:
            cause = f": {diagnosis.cause}" if diagnosis.cause else ""
            reason = f"The verdict is {diagnosis.verdict}{cause}, for which "
            return None, "undecided", f"{reason}there is no remedy here."
        if not self._affords(len(SIZES) * self.options.folds):
            reason = (
                f"After {self.trainings.count} of {self.options.budget} "
                f"trainings the {' and the '.join(gaps)} may still be high."
            )
            return None, "the budget is spent", reason
        self._say("The learning curve")
        curve: LearningCurve = self.trainings.learning_curve(self.chosen)
        if curve.verdict == "more data":
            return curve, "the data are the limit", _sentence(curve.reason)
        reason = (
            f"The {' and the '.join(gaps)} may still be high. More data? "
            f"{curve.verdict.capitalize()}: {curve.reason}"
        )
        return curve, left_over or "no remedy is left", reason

    def _test(self):
        """The best model, and a table of the one look at the test part."""
        self._say("The test")
        named: dict[str, dict] = {"plain": {}}
        if self.chosen:
            named["recipe"] = self.chosen
        rows = []
        for name, settings in named.items():
            model, _ = self.trainings.fit("all", settings, self.rows)
            rows.append(self._tested(name, model))
            self._say(f"  {name}: error {rows[-1]['error']:.4g}")
        return model, rows

    def _tested(self, name, model):
        """A row of the table of the test."""
        x, y = self.parts.test
        values = model.evaluate(x, y, return_dict=True, verbose=0)
        metric = self._metric(values)
        value = float(values[metric])
        mode = self.options.mode
        score = is_score(metric) if mode == "auto" else mode == "max"
        error = 1 - value if score else value
        count = rows_of(self.parts.test)
        row = {"model": name, metric: value, "error": error}
        if "accuracy" in metric:
            row["std. err."] = math.sqrt(error * (1 - error) / count)
        return {**row, "rows": count}

    def _metric(self, names):
        """The metric that the folds are judged by, too."""
        both = [*names, *(f"val_{name}" for name in names)]
        return choose_metric(self.owner, both, self.options.monitor)

    def _reported(self, **found):
        """The result, with its report on the disk."""
        result = RecipeResult(
            chosen=dict(self.chosen),
            tries=self.tries,
            trials=self._trials(),
            trainings=self.trainings.count,
            report=self.options.report,
            parts=partial(made, dict(self.chosen), self.trainings.optimizer),
            **found,
        )
        if result.report:
            write_study(
                result, self.parts, self.options.title, self.options.seed
            )
            self._say(f"Report: {result.report}")
        return result

    def _trials(self):
        """The cross-validations, the best first."""
        found = [
            {
                "hyperparameters": dict(settings),
                "mean": float(np.mean(errors)),
                "scores": errors.tolist(),
            }
            for settings, errors in self._scores.values()
        ]
        finite = [t for t in found if math.isfinite(t["mean"])]
        return sorted(finite, key=lambda trial: trial["mean"])

    def _say(self, text):
        if self.options.verbose:
            print(text, flush=True)


def _key(settings):
    return tuple(sorted(settings.items()))


def _sentence(text):
    """Text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def _shown(error):
    return "unknown" if error is None else f"{error:.4g}"

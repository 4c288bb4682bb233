"""What an error is measured against: reference, baseline, and limits."""

from dataclasses import dataclass

import numpy as np

from keras_regopt.diagnosis._metric_names import is_accuracy, kind_of
from keras_regopt.diagnosis._targets import (
    are_labels,
    constant_error,
    largest_share,
)

# Tolerated fractions: of 1 for a score, whose error is a fraction of the
# answers, and else of the error of a model that knows nothing.
_SCORE_TOLERANCE = 0.02
_ERROR_TOLERANCE = 0.1

# Where the dev error is below this fraction of the training error already, the
# first epoch has taught too much to be that of a model that knows nothing.
_UNTAUGHT = 0.8


@dataclass(frozen=True)
class Scale:
    """The scale of an error.

    Attributes:
        reference: The lowest error that can be reached.
        baseline: The error of a model that knows nothing.
        size: Their difference, or one for a score.
        source: Whence the baseline: `"given"`, `"targets"`, `"classes"`,
            `"score"`, `"largest class"` or `"first epoch"`.
        constant: The error of the best constant answer, or `None`.
        floor: What label smoothing and penalties leave of a loss.
        firm: Whether a bias above its limit can be trusted.
        firm_variance: Likewise of variance.
    """

    reference: float
    baseline: float
    size: float
    source: str
    constant: float | None = None
    floor: float = 0.0
    firm: bool = True
    firm_variance: bool = True

    def limits(self, rules, relative=False):
        """The limits of bias and of variance."""
        score = self.source == "score" and not relative
        default = _SCORE_TOLERANCE if score else _ERROR_TOLERANCE
        return [
            self.size * (default if tolerance is None else tolerance)
            for tolerance in (rules.bias_tolerance, rules.variance_tolerance)
        ]


def scale_of(curves, rules, facts, output, y, share=None):
    """The `Scale` of an error.

    Args:
        curves: The `Curves` to judge.
        rules: The `Rules`.
        facts: The `Facts`.
        output: The name of the output.
        y: The training targets of this output, or `None`.
        share: The fraction of the largest class, where the accuracy is to be
            judged against it.

    Returns:
        A `Scale`.
    """
    floor = _floor(curves.metric, facts, output)
    reference = floor if rules.reference is None else rules.reference
    if curves.is_score:
        constant = _constant_score(curves.metric, facts, output, y)
        if share is not None:
            rest = max(1 - share, 1e-6)
            return Scale(reference, rest, rest, "largest class", rest)
        return Scale(reference, reference + 1.0, 1.0, "score", constant)
    first, trusted = _first_epoch(curves)
    baseline, source = _baseline(curves.metric, rules, facts, output, y)
    if baseline is None or baseline <= reference:
        baseline, source = first, "first epoch"
    size = baseline - reference
    # A training that began under its reference still needs a scale.
    size = float(size if size > 0 else abs(first) or 1.0)
    loose = source == "first epoch" and rules.reference is None
    bare = _is_loss(curves.metric) and facts.model is None
    return Scale(
        reference,
        baseline,
        size,
        source,
        baseline if source != "first epoch" else None,
        floor,
        firm=not loose or (trusted and not bare),
        firm_variance=source != "first epoch" or trusted,
    )


def _is_loss(metric):
    return metric == "loss" or metric.endswith("_loss")


def _floor(metric, facts, output):
    if not _is_loss(metric) or facts.model is None:
        return 0.0
    if metric != "loss":
        return facts.floors.get(output, 0.0)
    return sum(facts.floors.values()) + facts.penalty


def _constant_score(metric, facts, output, y):
    if not is_accuracy(metric):
        return None
    if y is not None and are_labels(y):
        return 1 - largest_share(y)
    classes = facts.classes.get(output)
    return 1 - 1 / classes if classes else None


def _baseline(metric, rules, facts, output, y):
    if rules.baseline is not None:
        return rules.baseline, "given"
    kind = kind_of(metric)
    if not kind and _is_loss(metric) and len(facts.losses) < 2:
        kind = facts.losses.get(output, "")
        if not kind and y is not None:
            kind = "ce" if are_labels(y) else "mse"
    elif not kind and metric == f"{output}_loss":
        kind = facts.losses.get(output, "")
    if y is not None and kind in ("ce", "mse", "mae", "rmse"):
        return constant_error(kind, y), "targets"
    classes = facts.classes.get(output)
    if kind == "ce" and classes:
        return float(np.log(classes)), "classes"
    return None, ""


def _first_epoch(curves):
    finite = np.isfinite(curves.train)
    if not finite.any():
        return 1.0, True
    index = int(finite.argmax())
    first, dev = float(curves.train[index]), curves.dev[index]
    trusted = not np.isfinite(dev) or dev >= _UNTAUGHT * first
    return first, bool(trusted)

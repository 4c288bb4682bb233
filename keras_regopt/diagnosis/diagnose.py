"""The verdict on a training, from its history."""

from dataclasses import replace
from typing import Any

import numpy as np

from keras_regopt._validate import fail, in_range
from keras_regopt.diagnosis._curves import (
    choose_metric,
    error_curves,
    has_direction,
    is_score,
    one_class_only,
    read_history,
)
from keras_regopt.diagnosis._measures import measure, rises
from keras_regopt.diagnosis._rules import Rules
from keras_regopt.diagnosis._steps import next_steps
from keras_regopt.diagnosis.diagnosis import Diagnosis

# Tolerated fractions: of 1 for a score, whose error is a fraction of the
# answers, and else of the error of a model that knows nothing.
_SCORE_TOLERANCE = 0.02
_ERROR_TOLERANCE = 0.1

# Fewer epochs show the start of a training, not its result.
_LEAST_EPOCHS = 3

# Differences of decimal fractions that should be equal.
_ROUNDING = 1e-9


def diagnose(
    history: Any,
    *,
    monitor: str = "auto",
    mode: str = "auto",
    reference: float | None = None,
    baseline: float | None = None,
    bias_tolerance: float | None = None,
    variance_tolerance: float | None = None,
    rise_tolerance: float = 0.2,
    at: str = "last",
    train_error: float | None = None,
    train_dev: float | None = None,
) -> Diagnosis:
    """Tells bias from variance in a training, and what to try next.

    Three errors decide: the training error, the dev error, and the reference
    error, the lowest that can be reached (that of an expert, or the Bayes
    error). Their two gaps ask for opposite remedies:

    - avoidable bias = training error - reference error;
    - variance = dev error - training error.

    The verdict follows from these rules, in this order:

    1. `"undecided"` if the last epoch is not finite, if there are no dev
       errors, fewer than three epochs with one, or if an error below zero
       shows that zero is no floor and no `reference` is given; or if an
       accuracy is judged and a dev recall, precision or the like of zero
       shows that one class is never predicted.
    2. The bias is high if the avoidable bias exceeds `bias_tolerance`.
    3. The variance is high if the variance exceeds `variance_tolerance`, or
       if the model overfits: the dev loss has risen from its lowest value by
       more than `rise_tolerance` of it, beyond four times the noise of the
       curve and 1 % of the loss of an untrained model, while the training
       loss fell. (A loss can show this before the accuracy does.)
    4. The verdict is `"high bias"`, `"high variance"`, `"high bias and high
       variance"`, or `"fits"` if neither is high.

    Errors are those of the last epochs: one tenth of the epochs, from one to
    five, are averaged against the noise of the curves. The error of a score
    (accuracy, AUC, F1, R2, ...) is one minus the score; any other metric is
    an error itself. Keras takes training errors while the weights still move
    and with dropout and augmentation on. They tend to be too high, so high
    bias is reported too early and high variance too late; a `train_error` of
    yours avoids this.

    Args:
        history: What `fit` returned, or its `history` dict.
        monitor: Metric to judge by. Defaults to `"auto"`: the first
            accuracy, else the first other score, else the first mean error
            (free of the penalties that a loss contains), else the loss.
        mode: `"max"` if higher is better, `"min"` if lower is, or `"auto"`,
            the default, to tell by the metric's name.
        reference: The lowest error that can be reached, in the metric's
            unit; for an accuracy of 99 % it is `0.01`. Defaults to `None`,
            which takes zero.
        baseline: Error of a model that knows nothing, such as the variance
            of the targets for a mean squared error. It gives errors without
            an upper bound a scale; a score needs none and ignores it.
            Defaults to `None`, which takes the training error of the first
            epoch.
        bias_tolerance: Avoidable bias that is not yet high, at least 0: of a
            score in its own unit, of another metric as a fraction of the
            difference between baseline and reference. Defaults to `None`:
            `0.02` for a score, two answers in a hundred, which a dev set of a
            few hundred to a few thousand samples can resolve; `0.1` otherwise.
        variance_tolerance: Variance that is not yet high, likewise.
        rise_tolerance: Rise of the dev loss that counts as overfitting, as a
            fraction of its lowest value, at least 0. Defaults to `0.2`, in
            Prechelt's terms a generalization loss of 20 %: smaller rises are
            common before a still lower minimum.
        at: `"last"`, the default, to judge the end of the training, or
            `"best"` to judge the epoch of the lowest dev error, where the
            weights were restored from there.
        train_error: The training error of the judged weights, measured by
            `model.evaluate` on the training data, in the metric's unit
            (an accuracy of 99 % is `0.01`). Unlike the history's, it is free
            of dropout and augmentation. Defaults to `None`, which takes the
            history's.
        train_dev: The error, in the metric's unit, on data held out from the
            source of the training data, where the dev data are from another.
            Variance is then `train_dev` minus training error, and a dev error
            higher by more than `variance_tolerance` is `"data mismatch"`,
            alone or after the other verdict, as in `"high bias and data
            mismatch"`; the rise of the dev loss is not judged. Defaults to
            `None`: variance and mismatch cannot be told apart.

    Returns:
        A `Diagnosis` with verdict, values, reasons and steps.

    Raises:
        ValueError: If `history` is no history, the metric is not in it, or its
            name does not tell `mode`.

    Examples:
        >>> result = diagnose({
        ...     "accuracy": [0.70, 0.90, 0.98, 1.00],
        ...     "val_accuracy": [0.68, 0.80, 0.84, 0.83],
        ... })
        >>> result.verdict
        'high variance'
        >>> round(result.variance, 2), round(result.avoidable_bias, 2)
        (0.17, 0.0)
        >>> result.steps[0].uses
        ('keras_regopt.augmentation.RandomAffine', \
'keras_regopt.augmentation.RandomGaussianNoise')

    References:
        Ng 2018, Machine learning yearning, chapters 20 to 27.
        Prechelt 1998, Early stopping - but when?
    """
    rules = Rules(
        monitor=monitor,
        mode=mode,
        reference=reference,
        baseline=baseline,
        bias_tolerance=bias_tolerance,
        variance_tolerance=variance_tolerance,
        rise_tolerance=rise_tolerance,
        at=at,
    )
    rules.check(diagnose)
    in_range(diagnose, "train_error", train_error, optional=True)
    in_range(diagnose, "train_dev", train_dev, optional=True)
    result = judge(rules, history, train_error, train_dev)
    if result.cause == "no mode":
        allowed = (
            f'"min" or "max", as the name {result.metric!r} does not tell '
            "which is better"
        )
        fail(diagnose, "mode", allowed, mode)
    return result


def judge(rules, history, train_error=None, train_dev=None):
    """A diagnosis that is undecided where the metric's direction is unknown.

    Args:
        rules: The `Rules` to judge by, already checked.
        history: As `diagnose` takes it.
        train_error: Likewise.
        train_dev: Likewise.

    Returns:
        A `Diagnosis`, whose `cause` is `"no mode"` in that case.

    Raises:
        ValueError: If the history has no such metric.
    """
    lists, epochs = read_history(diagnose, history)
    metric = choose_metric(diagnose, lists, rules.monitor)
    by_name = rules.mode == "auto"
    score = is_score(metric) if by_name else rules.mode == "max"
    curves = error_curves(lists, epochs, metric, score)
    loss = None
    if metric != "loss" and "val_loss" in lists and "loss" in lists:
        loss = error_curves(lists, epochs, "loss", False)
    cause = _undecided(curves, rules.reference)
    if by_name and not has_direction(metric) and cause in ("", "no reference"):
        cause = "no mode"
    if not cause and one_class_only(lists, metric):
        cause = "one class"
    return _judge(rules, curves, loss, train_error, train_dev, cause)


def _judge(rules, curves, loss, train_error, train_dev, cause):
    measures = measure(curves, rules.at)
    if train_error is not None:
        measures = replace(measures, train_error=train_error)
    reference = rules.reference or 0.0
    scale = 1.0 if curves.is_score else _scale(curves, rules)
    default = _SCORE_TOLERANCE if curves.is_score else _ERROR_TOLERANCE
    limits = [
        scale * (default if tolerance is None else tolerance)
        for tolerance in (rules.bias_tolerance, rules.variance_tolerance)
    ]
    bias = _gap(measures.train_error, reference)
    held_out = measures.dev_error if train_dev is None else train_dev
    variance = _gap(held_out, measures.train_error)
    mismatch = _gap(measures.dev_error, train_dev)
    # A rise on data from elsewhere says nothing of variance.
    judges_rise = rules.at == "last" and not cause and train_dev is None
    rising = judges_rise and _overfits(curves if loss is None else loss, rules)
    high_bias = bias is not None and bias > limits[0] + _ROUNDING
    high_variance = rising or (
        variance is not None and variance > limits[1] + _ROUNDING
    )
    verdict = "undecided" if cause else _verdict(high_bias, high_variance)
    if not cause and mismatch is not None:
        verdict = _with_mismatch(verdict, mismatch > limits[1] + _ROUNDING)
    noise = measures.noise or 0.0
    return Diagnosis(
        verdict=verdict,
        cause=cause,
        curves=curves,
        loss_curves=loss,
        rules=rules,
        measures=measures,
        reference=reference,
        scale=scale,
        avoidable_bias=bias,
        variance=variance,
        bias_limit=limits[0],
        variance_limit=limits[1],
        overfits=rising,
        train_dev_error=train_dev,
        mismatch=mismatch,
        steps=next_steps(
            verdict,
            cause=cause,
            falling=measures.train_falling,
            rising=rising,
            noisy=noise > max(abs(variance or 0.0), limits[1]),
        ),
    )


def _undecided(curves, reference):
    """Why no verdict is possible, or an empty string."""
    ends = [curves.train[-1:], curves.dev[curves.measured][-1:]]
    if not np.isfinite(np.concatenate(ends)).all():
        return "diverged"
    if not curves.measured.any():
        return "no dev"
    if np.isfinite(curves.dev).sum() < _LEAST_EPOCHS:
        return "short"
    lowest = np.nanmin([curves.train, curves.dev])
    if lowest < 0 and reference is None and not curves.is_score:
        return "no reference"
    return ""


def _scale(curves, rules):
    """The error of a model that knows nothing, above the reference."""
    finite = curves.train[np.isfinite(curves.train)]
    first = finite[0] if len(finite) else 1.0
    baseline = first if rules.baseline is None else rules.baseline
    scale = baseline - (rules.reference or 0.0)
    # A training that began under its reference still needs a scale.
    return float(scale if scale > 0 else abs(first) or 1.0)


def _gap(high, low):
    return None if high is None or low is None else high - low


def _overfits(curves, rules):
    measures = measure(curves)
    scale = _scale(curves, Rules()) if not curves.is_score else 1.0
    return rises(curves, measures, scale, rules.rise_tolerance)


def _with_mismatch(verdict, mismatch):
    if not mismatch:
        return verdict
    return (
        "data mismatch" if verdict == "fits" else f"{verdict} and data mismatch"
    )


def _verdict(high_bias, high_variance):
    if high_bias and high_variance:
        return "high bias and high variance"
    if high_bias:
        return "high bias"
    return "high variance" if high_variance else "fits"

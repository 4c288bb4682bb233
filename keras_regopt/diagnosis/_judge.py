"""The verdict on one output of a model, from curves and measured errors."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_regopt.diagnosis import _estimates, _imbalance
from keras_regopt.diagnosis._curves import (
    CLEAN,
    Curves,
    choose_metric,
    error_curves,
    moved_upward,
)
from keras_regopt.diagnosis._evaluate import kind_to_measure
from keras_regopt.diagnosis._measures import jitter, measure, rises
from keras_regopt.diagnosis._metric_names import (
    has_direction,
    is_score,
    kind_of,
)
from keras_regopt.diagnosis._rules import Rules
from keras_regopt.diagnosis._scale import scale_of
from keras_regopt.diagnosis._verdict import conclude

# Fewer epochs show the start of a training, not its result.
_LEAST_EPOCHS = 3


@dataclass(frozen=True)
class Case:
    """One output of a training, ready to be judged.

    Attributes:
        rules: The `Rules`.
        given: The `Given`.
        output: The name of the output.
        index: Its number.
        curves: The errors by epoch.
        loss: The losses by epoch, or `None`.
        measures: The `Measures` of the curves.
        scale: The `Scale`.
        limits: The limits of bias and variance.
        estimates: The `Estimate` of each part that is known.
        noise: Standard deviations by epoch of training and dev error.
        unclean: Why the training error may be too high, or an empty string.
        cause: Why no verdict is possible, or an empty string.
        remarks: Sentences on what was judged.
    """

    rules: Any
    given: Any
    output: str
    index: int
    curves: Any
    loss: Any
    measures: Any
    scale: Any
    limits: tuple
    estimates: dict
    noise: dict
    unclean: str = ""
    cause: str = ""
    remarks: tuple[str, ...] = ()


def judge_output(owner, rules, lists, epochs, given, measured, output, index):
    """A `Diagnosis` of one output.

    Args:
        owner: The function to name in errors.
        rules: The `Rules`.
        lists: The curves by name of this output; may be empty.
        epochs: The numbers of the epochs.
        given: The `Given`.
        measured: The `Measured`.
        output: The name of the output, or an empty string.
        index: Its number.

    Returns:
        A `Diagnosis`.
    """
    metric, kind = _metric_and_kind(owner, rules, lists, given, output)
    y = given.targets(index)
    rows = {
        part: measured.row_errors(part, kind, index)
        for part in ("train", "dev", "train_dev", "test")
    }
    rows = {part: found for part, found in rows.items() if found is not None}
    choice = _imbalance.choose(lists, metric, rows, y, given, rules)
    metric = choice.metric
    if metric in lists:
        score, known = _direction(rules, lists, metric)
        curves = error_curves(lists, epochs, metric, score)
    else:
        known = True
        curves = _points(metric, epochs, choice.balanced or kind == "accuracy")
    loss = _loss_curves(lists, epochs, metric)
    share = choice.share if curves.is_score else None
    scale = scale_of(curves, rules, given.facts, output, y, share)
    if choice.balanced:
        classes = len(np.unique(rows["train"].labels))
        scale = replace(scale, constant=1 - 1 / max(classes, 2))
    at = rules.at
    if at == "auto":
        at = given.restored if given.restored is not None else "last"
    measures = measure(curves, at)
    estimates = _estimates.measured_errors(
        rows, choice, measured, curves, rules
    )
    unclean = ""
    if "train" not in estimates:
        unclean = _estimates.add_train(
            estimates, lists, curves, measures, given, scale
        )
    _estimates.add_dev(estimates, curves, measures, given)
    _estimates.add_held_out(estimates, measures, given, len(epochs), at)
    curves = _with_points(curves, estimates)
    case = Case(
        rules=rules,
        given=given,
        output=output,
        index=index,
        curves=curves,
        loss=loss,
        measures=_told(measures, estimates, unclean),
        scale=scale,
        limits=tuple(scale.limits(rules, share is not None)),
        estimates=estimates,
        noise=_noise(curves, measures, rows, given, at),
        unclean=unclean,
        remarks=choice.remarks,
    )
    cause = _undecided(case, measures, rows, at) or choice.cause
    if not known and cause in ("", "no reference"):
        cause = "no mode"
    return conclude(replace(case, cause=cause), _overfits(case, at, cause))


def _metric_and_kind(owner, rules, lists, given, output):
    """The metric to judge by, and the kind of row errors to measure."""
    facts = given.facts
    data = {"train", "dev"} & set(given.data) and rules.at != "best"
    if not lists:
        named = "" if rules.monitor == "auto" else rules.monitor
        kind = kind_to_measure(named.removeprefix("val_"), facts, output)
        names = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}
        return named or names.get(kind, kind) or "loss", kind
    metric = choose_metric(owner, lists, rules.monitor)
    if _squares_tell_more(rules, lists, metric, facts, output):
        metric = metric_of_loss(lists)
    kind = kind_to_measure(metric, facts, output) if data else ""
    loss = metric == "loss" or metric.endswith("_loss")
    if kind and loss and rules.monitor == "auto":
        # Of a loss there are no errors by row; these are near to it.
        names = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}
        if {"train", "dev"} <= set(given.data):
            return names.get(kind, kind), kind
    return metric, "" if loss else kind


def _squares_tell_more(rules, lists, metric, facts, output):
    """Whether the loss has the scale that a mean error lacks.

    Noise in the targets leaves a tenth of a mean absolute error where it leaves
    a hundredth of the squares.
    """
    if rules.monitor != "auto" or kind_of(metric) not in ("mae", "rmse"):
        return False
    if rules.reference is not None or rules.baseline is not None:
        return False
    loss = metric_of_loss(lists)
    known = loss is not None and f"val_{loss}" in lists
    return known and facts.losses.get(output) == "mse" and not facts.penalty


def metric_of_loss(lists):
    """The name of the loss in a history, or `None`."""
    named = [n for n in lists if n == "loss" or n.endswith("_loss")]
    named = [n for n in named if not n.startswith(("val_", CLEAN))]
    return "loss" if "loss" in named else next(iter(named), None)


def _direction(rules, lists, metric):
    """Whether higher is better, and whether that is known."""
    if rules.mode != "auto":
        return rules.mode == "max", True
    if has_direction(metric):
        return is_score(metric), True
    upward = moved_upward(lists, metric)
    return bool(upward), upward is not None


def _points(metric, epochs, score):
    """Curves without any value, for errors that were measured once."""
    nothing = np.full(len(epochs), np.nan)
    form = "score" if score else "error"
    measured = np.zeros(len(epochs), bool)
    return Curves(metric, score, epochs, nothing, nothing, measured, form)


def _with_points(curves, estimates):
    """The curves, with the measured errors at the end of empty ones."""
    if not {"train", "dev"} <= set(estimates):
        return curves
    if np.isfinite(curves.train).any() or np.isfinite(curves.dev).any():
        return curves
    train, dev = curves.train.copy(), curves.dev.copy()
    train[-1], dev[-1] = estimates["train"].value, estimates["dev"].value
    measured = np.arange(len(train)) == len(train) - 1
    return replace(curves, train=train, dev=dev, measured=measured)


def _loss_curves(lists, epochs, metric):
    loss = metric_of_loss(lists)
    if loss is None or metric == loss or f"val_{loss}" not in lists:
        return None
    return error_curves(lists, epochs, loss, False)


def _told(measures, estimates, unclean):
    """The measures, with the errors that were measured apart."""
    changed = {}
    if "dev" in estimates:
        changed["dev_error"] = estimates["dev"].value
    if "train" in estimates and not unclean:
        changed["train_error"] = estimates["train"].value
    return replace(measures, **changed)


def _noise(curves, measures, rows, given, at):
    """Noise by epoch; errors measured on the final weights have none."""
    judged = measures.best_epoch if at == "best" else at
    if isinstance(judged, int):
        before = curves.epochs <= judged
        train, dev = curves.train[before], curves.dev[before]
        curves = replace(curves, train=train, dev=dev)
    count = max(measures.averaged, 1) ** 0.5
    train = jitter(curves.train) / count
    if "train" in rows or "train_error" in given.errors:
        train = 0.0
    dev = 0.0 if "dev" in rows else jitter(curves.dev) / count
    return {"train": train, "dev": dev}


def _undecided(case, measures, rows, at):
    """Why no verdict is possible, or an empty string."""
    curves, estimates = case.curves, case.estimates
    if any(not np.isfinite(e.value) for e in estimates.values()):
        return "diverged"
    # An accuracy is finite, whatever the weights are. Those of an earlier
    # epoch may have been restored.
    ended = at == "last" and case.loss is not None and not case.given.early
    if ended and not np.isfinite(case.loss.train[-1:]).all():
        return "diverged"
    if {"train", "dev"} <= set(rows):
        return ""
    ends = [curves.train[-1:], curves.dev[curves.measured][-1:]]
    if not np.isfinite(np.concatenate(ends)).all():
        return "diverged"
    if "dev" not in estimates:
        return "no dev"
    if not case.given.data and np.isfinite(curves.dev).sum() < _LEAST_EPOCHS:
        return "short"
    lowest = np.nanmin([curves.train, curves.dev])
    free = case.rules.reference is None and not curves.is_score
    if free and lowest < 0:
        return "no reference"
    return ""


def _overfits(case, at, cause):
    # A rise on data from elsewhere says nothing of variance.
    if at != "last" or cause or "train_dev" in case.estimates:
        return False
    if case.given.data and case.given.early:
        # The weights may be those of the best epoch.
        return False
    curves = case.curves if case.loss is None else case.loss
    if np.isfinite(curves.dev).sum() < _LEAST_EPOCHS:
        return False
    scale = 1.0
    if not curves.is_score:
        found = scale_of(curves, Rules(), case.given.facts, case.output, None)
        scale = found.size
    measures = measure(curves)
    return rises(curves, measures, scale, case.rules.rise_tolerance)

"""Slices on which a model does worse, and its calibration."""

import numpy as np
from keras import ops

from keras_regopt._keras import all_layers
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._loss_function import to_tensors
from keras_regopt.diagnosis.checks._losses import constant_loss
from keras_regopt.diagnosis.checks.base import Check, Skip

_ROWS = 2000
# More columns are pixels or samples of a wave, which have no meaning alone.
_FEATURES = 40
_BINS = 15
# Batches that are looked at in training mode.
_BATCHES = 8
# Below these, what is significant does not matter.
_CALIBRATION, _GAP, _RELATIVE_GAP = 0.03, 0.1, 0.5
# The rate of false discoveries among the slices.
_FALSE = 0.01


class Slices(Check):
    """Classes, groups and ranges of a feature on which the model does worse.

    The error within each slice of the dev data is compared with that of the
    other rows. Slices differ by chance, the more the smaller they are; the
    p-values are corrected for their number by Benjamini and Hochberg.
    """

    name = "slices"

    def run(self, case):
        x, y = _first(case)
        errors, unit = _errors(case, x, y)
        names, members = self._slices(case, x, y, len(errors))
        if not names:
            raise Skip("there are no slices of 20 rows")
        tests = [_test(errors, inside) for inside in members]
        kept = _discoveries(np.array([t[2] for t in tests]))
        scale, least = 1.0, _GAP
        if unit != "error":
            scale, least = max(float(errors.mean()), 1e-12), _RELATIVE_GAP
        found = [
            (inside - outside, name, inside, outside, int(m.sum()), half)
            for (inside, outside, _, half), name, m, keep in zip(
                tests, names, members, kept, strict=True
            )
            if keep and (inside - outside) / scale > least
        ]
        told = _lagging(case) if found else None
        if told:
            raise Skip(told)
        for _, name, inside, outside, count, half in sorted(found)[::-1][:5]:
            yield self.finding(
                f"The {unit} for {name} is {inside:.3g} +- {half:.2g} "
                f"({count} rows), for the others {outside:.3g}.",
                "Collect more rows like these, weigh them higher, or look at "
                "their labels; `GroupMonitor` watches them in training.",
                # Some classes are harder than others; a group that somebody
                # has named should not be.
                "warning" if name.startswith("group") else "note",
            )

    def _slices(self, case, x, y, count):
        names, members = [], []

        def add(name, inside):
            if 20 <= inside.sum() <= count - 20:
                names.append(name)
                members.append(inside)

        try:
            labels = case.labels(y)
            for label in np.unique(labels)[:50]:
                add(f"class {label}", labels == label)
        except Skip:
            pass
        if case.groups is not None:
            groups = np.asarray(case.groups)[:count]
            for group in np.unique(groups)[:50]:
                add(f"group {group}", groups == group)
        try:
            columns = case.columns(x)
        except Skip:
            return names, members
        if columns.shape[1] <= _FEATURES:
            for index, column in enumerate(columns.T):
                cuts = np.quantile(column, [1 / 3, 2 / 3])
                add(f"low values of column {index}", column <= cuts[0])
                add(f"high values of column {index}", column > cuts[1])
        return names, members


class Calibration(Check):
    """Whether the predicted probabilities are the frequencies.

    The expected calibration error is the mean gap of confidence and accuracy
    over 15 bins. It is above zero by chance, so it is compared with what a
    calibrated model with these confidences would have. Where the moving
    statistics of batch normalization lag behind, it is only a note.
    """

    name = "calibration"

    def run(self, case):
        x, y = _first(case)
        p = case.probabilities_of(x)
        labels = case.labels(y)
        if p.shape[1] <= labels.max():
            raise Skip("there are more classes than outputs")
        right = p.argmax(axis=1) == labels
        if len(right) < 100:
            raise Skip("there are fewer than 100 dev rows")
        _require_trained(right.mean(), labels)
        sure = p.max(axis=1)
        gap = calibration_error(sure, right)
        random = case.random("calibration")
        chance = [
            calibration_error(sure, random.uniform(size=len(sure)) < sure)
            for _ in range(200)
        ]
        if gap > max(np.quantile(chance, 0.995), _CALIBRATION):
            which = "too sure" if sure.mean() > right.mean() else "too unsure"
            told = _lagging(case)
            if told:
                yield self.finding(
                    f"The model is {which}, but {told}.",
                    "Train on, or give `BatchNormalization` a lower "
                    "`momentum`, and check again.",
                    "note",
                )
                return
            yield self.finding(
                f"The model is {which}: mean confidence {sure.mean():.1%}, "
                f"accuracy {right.mean():.1%}, expected calibration error "
                f"{gap:.1%} (a calibrated model: {np.mean(chance):.1%}).",
                "Put `keras_regopt.layers.TemperatureScaling` behind the "
                "model and call its `calibrate` on dev data.",
                # A training that goes on makes it surer.
                "warning" if which == "too sure" else "note",
            )


def calibration_error(confidence, right):
    """The expected calibration error over bins of equal width.

    Args:
        confidence: The probability of each predicted class.
        right: Whether each prediction is right.

    Returns:
        A float.
    """
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, confidence, _BINS) - np.bincount(
        bins, right, _BINS
    )
    return float(np.abs(gaps).sum() / len(confidence))


def _first(case):
    x, y = case.dev_part()
    count = min(_nested.count("check", {"x": x, "y": y}), _ROWS)
    rows = np.arange(count)
    return _nested.take(x, rows), _nested.take(y, rows)


def _errors(case, x, y):
    """The error of each row, and what it is."""
    if case.loss.kind in ("sparse", "categorical", "binary"):
        p, labels = case.probabilities_of(x), case.labels(y)
        wrong = (p.argmax(axis=1) != labels).astype("float64")
        _require_trained(1 - wrong.mean(), labels)
        return wrong, "error"
    target = case.one_array(y, "targets").astype("float64")
    outputs = case.predict(x, _ROWS)
    if outputs.size != target.size:
        raise Skip("targets and outputs are of different shapes")
    off = np.abs(outputs.reshape(target.shape) - target)
    off = off.reshape(len(off), -1).mean(axis=1)
    if off.mean() >= 0.8 * np.abs(target - np.median(target, axis=0)).mean():
        raise Skip("the model is not trained yet")
    return off, "absolute error"


def _require_trained(accuracy, labels):
    """Skips where a model is hardly better than its largest class."""
    majority = np.unique(labels, return_counts=True)[1].max() / len(labels)
    if accuracy < majority + 0.3 * (1 - majority):
        raise Skip("the model is not trained yet")


def _lagging(case):
    """Why inference mode shows more errors than the weights make, or `None`.

    Moving statistics that still come from the first steps do that, in a
    model that is healthy otherwise.
    """
    if not any(hasattr(x, "moving_mean") for x in all_layers(case.model)):
        return None
    batches = [case.probe.batch(number) for number in range(_BATCHES)]
    training = np.mean([case.probe.gradients(rows)[0] for rows in batches])
    x, y = case.take(np.concatenate(batches))
    inference = case.model.compute_loss(
        y=to_tensors(y),
        y_pred=to_tensors(case.predict(x, None)),
        training=False,
    )
    inference = float(ops.convert_to_numpy(inference))
    gap = inference - training
    # Near zero, losses differ by many times.
    if gap < max(0.25 * training, 0.1 * max(constant_loss(case) or [0.0])):
        return None
    return (
        f"the moving statistics of batch normalization lag behind: the loss "
        f"of training rows is {inference:.3g} in inference mode, and "
        f"{training:.3g} in training mode"
    )


def _test(errors, inside):
    """Means inside and outside, a one-sided p-value, and half an interval."""
    from scipy.stats import norm

    a, b = errors[inside], errors[~inside]
    if set(np.unique(errors)) <= {0.0, 1.0}:
        shared = errors.mean()
        spread = shared * (1 - shared) * (1 / len(a) + 1 / len(b))
    else:
        spread = a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
    z = (a.mean() - b.mean()) / np.sqrt(max(spread, 1e-12))
    half = 1.96 * np.sqrt(max(a.var(ddof=1), 1e-12) / len(a))
    return float(a.mean()), float(b.mean()), float(norm.sf(z)), float(half)


def _discoveries(p):
    """Which p-values stay, by Benjamini and Hochberg."""
    order = np.argsort(p)
    limits = _FALSE * np.arange(1, len(p) + 1) / len(p)
    passed = np.flatnonzero(p[order] <= limits)
    kept = np.zeros(len(p), bool)
    if len(passed):
        kept[order[: passed.max() + 1]] = True
    return kept

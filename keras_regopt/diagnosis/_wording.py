"""A diagnosis in words."""

import textwrap

import numpy as np

_WIDTH = 78

# Negative variance beyond this multiple of its limit gives a note.
_EASIER = 1.0


def error_name(diagnosis):
    """The error that was judged, such as `1 - accuracy`."""
    metric = diagnosis.metric
    return f"1 - {metric}" if diagnosis.curves.is_score else metric


def number(diagnosis, value):
    """An error in the form that fits the metric: percent or four digits."""
    if value is None or not np.isfinite(value):
        return "unknown"
    if diagnosis.curves.is_score:
        return f"{100 * value:.1f} %"
    return f"{value:.4g}"


def values(diagnosis):
    """The values behind a verdict: texts `(name, value, remark)`."""
    d, m = diagnosis, diagnosis.measures
    assumed = "taken as zero, as none was given"
    rows = [
        ("training error", d.train_error, ""),
        ("dev error", d.dev_error, ""),
        (
            "reference error",
            d.reference,
            assumed if d.rules.reference is None else "",
        ),
        (
            "avoidable bias",
            d.avoidable_bias,
            f"training - reference; high above {number(d, d.bias_limit)}",
        ),
        (
            "variance",
            d.variance,
            f"{'dev' if d.mismatch is None else 'train-dev'} - training; "
            f"high above {number(d, d.variance_limit)}",
        ),
        ("train-dev error", d.train_dev_error, ""),
        ("data mismatch", d.mismatch, "dev - train-dev"),
    ]
    if m.best_epoch is not None:
        since = f"at epoch {m.best_epoch}"
        if m.generalization_loss:
            since += f"; {m.generalization_loss:.0f} % higher since"
        rows.append(("lowest dev error", m.best_dev_error, since))
    if m.noise is not None:
        rows.append(
            ("noise", m.noise, "standard deviation of a dev error by epoch")
        )
    return [
        (name, number(diagnosis, value), remark)
        for name, value, remark in rows
        if value is not None
    ]


def reasons(diagnosis):
    """Sentences with the values that led to the verdict."""
    d = diagnosis
    if d.cause:
        return (_why_undecided(d),)
    found = [
        _compare(
            d, "avoidable bias", d.avoidable_bias, d.bias_limit, "bias is"
        ),
        _compare(d, "variance", d.variance, d.variance_limit, "variance is"),
    ]
    if d.mismatch is not None:
        found.append(
            _compare(d, "mismatch", d.mismatch, d.variance_limit, "mismatch is")
        )
    if d.overfits:
        found.append(_overfitting(d))
    if d.measures.train_falling and d.verdict != "high variance":
        found.append(
            "The training error is still falling, by "
            f"{number(d, -d.measures.train_slope)} an epoch at the end."
        )
    return tuple(found)


def notes(diagnosis):
    """Sentences on what to keep in mind with the verdict."""
    d = diagnosis
    found = []
    if d.cause in ("", "no dev") and not d.curves.is_score:
        if d.rules.baseline is None:
            found.append(
                "High and low are measured against the training error of the "
                "first epoch; a `baseline` would be a firmer scale."
            )
        if d.rules.reference is None:
            found.append(
                "Without a `reference` all error counts as avoidable; noise "
                "in the targets is not."
            )
    if d.variance is not None and -d.variance > _EASIER * d.variance_limit:
        found.append(
            "The dev error is well below the training error. Dropout, "
            "augmentation and penalties act on the training error alone; "
            "measure it without by `model.evaluate` and pass `train_error`. "
            "Or the dev data are easier: see that both come from one source."
        )
    if not d.cause and not np.isfinite(d.curves.train).all():
        found.append("Epochs with an error that was not finite are left out.")
    return tuple(found)


def text(diagnosis):
    """The diagnosis as lines for a terminal."""
    d = diagnosis
    lines = [f"Verdict: {d.verdict}", f"Judged by {judged(d)}", ""]
    lines += [
        f"  {name:<17}{value:>9}   {remark}".rstrip()
        for name, value, remark in values(d)
    ]
    lines += ["", "Why", *_bullets(d.reasons)]
    if d.notes:
        lines += ["", "Keep in mind", *_bullets(d.notes)]
    if d.steps:
        lines += ["", "What to try next, in this order"]
    for number, step in enumerate(d.steps, 1):
        lines += _wrap(f"{number}. ", step.action)
        lines += [f"   {name}" for name in step.uses]
    return "\n".join(lines)


def one_line(diagnosis):
    """Verdict and errors in one line."""
    d = diagnosis
    shown = [
        f"{name} {number(d, value)}"
        for name, value in (("training", d.train_error), ("dev", d.dev_error))
        if value is not None
    ]
    errors = f" ({error_name(d)}: {', '.join(shown)})" if shown else ""
    return f"{d.verdict}{errors}"


def judged(diagnosis):
    """What was judged, and at which epochs."""
    m, epochs = diagnosis.measures, diagnosis.curves.epochs
    last = int(epochs[-1]) if len(epochs) else 0
    if diagnosis.rules.at == "best" and m.best_epoch is not None:
        when = f"at epoch {m.best_epoch} of {last}, the best"
    elif m.averaged > 1:
        when = f"mean of the last {m.averaged} of {last} epochs"
    else:
        when = f"at epoch {last}"
    return f"{error_name(diagnosis)}, {when}"


def _why_undecided(d):
    if d.cause == "diverged":
        bad = ~np.isfinite(d.curves.train)
        bad |= d.curves.measured & ~np.isfinite(d.curves.dev)
        first = int(d.curves.epochs[bad][0])
        return (
            f"The training diverged: from epoch {first} on, errors are not "
            "finite numbers."
        )
    if d.cause == "no dev":
        return "There are no dev errors, so that variance cannot be told."
    if d.cause == "one class":
        return (
            "A recall, precision or the like of zero on the dev data shows "
            "that one class is never predicted; the accuracy hides this."
        )
    if d.cause == "no mode":
        return (
            f"The name {d.metric!r} does not tell whether higher is better, "
            "and no `mode` was given."
        )
    if d.cause == "short":
        return "There are fewer than three epochs with a dev error."
    return (
        "Errors below zero show that zero is not the lowest that can be "
        "reached, and no `reference` was given."
    )


def _compare(d, name, value, limit, what):
    beyond = value > limit + 1e-9
    verb = "exceeds" if beyond else "is within"
    degree = "high" if beyond else "not high"
    return (
        f"The {name} of {number(d, value)} {verb} {number(d, limit)}: "
        f"{what} {degree}."
    )


def _overfitting(d):
    curves = d.curves if d.loss_curves is None else d.loss_curves
    dev = curves.dev[np.isfinite(curves.dev)]
    epochs = curves.epochs[np.isfinite(curves.dev)]
    best = int(dev.argmin())
    name = "error" if d.loss_curves is None else "loss"
    return (
        f"The dev {name} rose from {dev[best]:.3g} at epoch {epochs[best]} to "
        f"{dev[-1]:.3g} at epoch {epochs[-1]}, while the training {name} "
        "fell: the model overfits."
    )


def _bullets(sentences):
    return [line for s in sentences for line in _wrap("- ", s)]


def _wrap(lead, sentence):
    return textwrap.wrap(
        sentence,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
    )

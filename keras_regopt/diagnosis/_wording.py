"""A diagnosis in words."""

import textwrap

import numpy as np

from keras_regopt.diagnosis._advice import LOWER_RATE
from keras_regopt.diagnosis._why import why_undecided

_WIDTH = 78

# Negative variance beyond this multiple of its limit gives a note.
_EASIER = 1.0


def error_name(diagnosis):
    """The error that was judged, such as `1 - accuracy`."""
    metric = diagnosis.metric
    forms = {
        "score": f"1 - {metric}",
        "percent": f"1 - {metric} / 100",
        "decibel": f"10 ** (-{metric} / 10)",
        "negative": f"-{metric}",
    }
    return forms.get(diagnosis.curves.form, metric)


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
    rows = [
        ("training error", d.train_error, ""),
        ("dev error", d.dev_error, ""),
        (
            "reference error",
            d.reference,
            _assumed(d),
        ),
        (
            "avoidable bias",
            d.avoidable_bias,
            f"training - reference; high above {number(d, d.bias_limit)}",
        ),
        (
            "variance",
            d.variance,
            f"{'dev' if d.train_dev_error is None else 'train-dev'} - "
            "training; "
            f"high above {number(d, d.variance_limit)}",
        ),
        ("train-dev error", d.train_dev_error, ""),
        ("data mismatch", d.mismatch, "dev - train-dev"),
        ("test error", d.test_error, ""),
        ("dev overfitting", d.dev_overfitting, "test - dev"),
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
    if d.cause in ("few rows", "borderline", "unclean"):
        told = tuple(_compare(d, gap) for gap in d.gaps)
        return (*d.remarks, *told, *_why_unclean(d))
    if d.cause:
        return (*d.remarks, why_undecided(d))
    found = list(d.remarks)
    found += [_compare(d, gap) for gap in d.gaps]
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
        if d.source == "first epoch":
            found.append(
                "High and low are measured against the training error of the "
                "first epoch; a `baseline` would be a firmer scale."
            )
        if d.rules.reference is None and not d.reference:
            found.append(
                "Without a `reference` all error counts as avoidable; noise "
                "in the targets is not."
            )
    if d.unclean == "noisy" and d.cause != "unclean":
        found.append(
            "Layers that act in training alone raise the training error of "
            "the history; pass `model`, `train` and `dev` to measure it "
            "without."
        )
    elif d.variance is not None and -d.variance > _EASIER * d.variance_limit:
        found.append(
            "The dev error is well below the training error. Dropout, "
            "augmentation and penalties act on the training error alone; "
            "measure it without by `model.evaluate` and pass `train_error`. "
            "Or the dev data are easier: see that both come from one source."
        )
    finite = np.isfinite(d.curves.train)
    # An error of the last epoch alone was measured once, after it.
    once = finite[-1] and finite.sum() == 1
    if not d.cause and not once and not finite.all():
        found.append("Epochs with an error that was not finite are left out.")
    return tuple(found)


def text(diagnosis):
    """The diagnosis as lines for a terminal."""
    d = diagnosis
    lines = [f"Verdict: {verdict(d)}", f"Judged by {judged(d)}", ""]
    lines += [
        f"  {name:<17}{value:>9}   {remark}".rstrip()
        for name, value, remark in values(d)
    ]
    lines += ["", "Why", *_bullets(d.reasons)]
    if d.notes:
        lines += ["", "Keep in mind", *_bullets(d.notes)]
    if len(d.outputs) > 1:
        lines += ["", "Outputs, the worst first"]
        lines += [f"  {o.output}: {one_line(o)}" for o in d.outputs]
    if d.steps:
        lines += ["", "What to try next, in this order"]
    for number, step in enumerate(d.steps, 1):
        lines += _wrap(f"{number}. ", step.action)
        lines += [f"   {name}" for name in step.uses]
    if d.taken:
        lines += ["", "Taken already"]
        for step in d.taken:
            lines += _wrap("- ", step.action)
    return "\n".join(lines)


def verdict(diagnosis):
    """The verdict, with its cause where it is undecided for a new reason."""
    d = diagnosis
    told = {
        "few rows": "cannot tell with so few rows",
        "borderline": "borderline",
        "no scale": "no scale",
        "noise": "cannot tell from noise",
        "unclean": "training error not measured cleanly",
        "which epoch": "which epoch was restored",
        "diverged": "the training diverged",
    }
    if not d.cause and d.steps[:1] == (LOWER_RATE,):
        return f"{d.verdict}: the learning rate seems too high"
    return f"{d.verdict}: {told[d.cause]}" if d.cause in told else d.verdict


def one_line(diagnosis):
    """Verdict and errors in one line."""
    d = diagnosis
    shown = [
        f"{name} {number(d, value)}"
        for name, value in (("training", d.train_error), ("dev", d.dev_error))
        if value is not None
    ]
    errors = f" ({error_name(d)}: {', '.join(shown)})" if shown else ""
    return f"{verdict(d)}{errors}"


def judged(diagnosis):
    """What was judged, and at which epochs."""
    m, epochs = diagnosis.measures, diagnosis.curves.epochs
    last = int(epochs[-1]) if len(epochs) else 0
    if diagnosis.rules.at == "best" and m.best_epoch is not None:
        when = f"at epoch {m.best_epoch} of {last}, the best"
    elif diagnosis.restored is not None:
        when = f"at epoch {diagnosis.restored} of {last}, restored"
    elif m.averaged > 1:
        when = f"mean of the last {m.averaged} of {last} epochs"
    else:
        when = f"at epoch {last}"
    return f"{error_name(diagnosis)}, {when}"


def _compare(d, gap):
    """What is known of a gap, in a sentence."""
    name, short = gap.name, {"avoidable bias": "bias"}.get(gap.name, gap.name)
    answer = d.answers.get(name, gap.answer)
    value, limit = number(d, gap.value), number(d, gap.limit)
    if answer == gap.answer != "cannot tell":
        verb = "exceeds" if answer == "high" else "is within"
        sentence = f"The {name} of {value} {verb} {limit}: {short} is {answer}."
        return sentence
    if answer == "high":
        return f"The {name} is {value}, against a limit of {limit}."
    bounds = f"{number(d, gap.low)} to {number(d, gap.high)}"
    if gap.answer != "cannot tell":
        return (
            f"The {name} of {value} is above {limit}, but cannot be called "
            "high: " + why_undecided(d, gap.name)
        )
    if gap.rows is None:
        return (
            f"The {name} of {value} is borderline: it lies between {bounds}, "
            f"with the limit of {limit} in between."
        )
    told = f"Cannot tell with {gap.rows} rows whether {short} is high"
    needed = gap.rows_needed
    more = f" About {needed:,} rows would be needed." if needed else ""
    return (
        f"{told}: the {name} of {value} lies between {bounds}, with the limit "
        f"of {limit} in between.{more}"
    )


def _assumed(d):
    if d.rules.reference is not None:
        return ""
    if d.reference:
        return "what label smoothing and penalties leave of the loss"
    return "taken as zero, as none was given"


def _why_unclean(d):
    if d.unclean != "noisy":
        return ()
    return (
        "Layers that act in training alone raise the training error of the "
        "history, so that bias and variance cannot be told apart by it.",
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

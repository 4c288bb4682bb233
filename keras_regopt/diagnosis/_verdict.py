"""The answers for each gap, put together to a verdict."""

import math
from dataclasses import replace

from keras_regopt.diagnosis import _sampling, _steps
from keras_regopt.diagnosis._measures import jitter, measure
from keras_regopt.diagnosis.diagnosis import Diagnosis

BIAS, VARIANCE = "avoidable bias", "variance"
MISMATCH, DEV_SET = "data mismatch", "overfitting to the dev set"

_NAMES = {BIAS: "high bias", VARIANCE: "high variance"}

# Up to so many times its limit, what is left of an error other than of a
# score may be noise in the targets.
_NOISE = 3.0


def conclude(case, rising):
    """The `Diagnosis` of a `Case`.

    Args:
        case: The `Case`.
        rising: Whether the dev error has risen since its best epoch.

    Returns:
        A `Diagnosis`.
    """
    gaps = _gaps(case)
    answers = {name: gap.answer for name, gap in gaps.items()}
    if rising and VARIANCE in answers:
        answers[VARIANCE] = "high"
    doubts = {} if case.cause else _doubts(case, gaps, answers, rising)
    for name in doubts:
        answers[name] = "cannot tell"
    high = [_NAMES.get(n, n) for n, a in answers.items() if a == "high"]
    unknown = [n for n, a in answers.items() if a == "cannot tell"]
    cause = case.cause
    if not cause and not high and unknown:
        cause = doubts.get(unknown[0]) or _why(case, gaps[unknown[0]])
    verdict = "undecided" if cause else " and ".join(high) or "fits"
    return _diagnosis(case, rising, gaps, answers, verdict, cause)


def _diagnosis(case, rising, gaps, answers, verdict, cause):
    m, e = case.measures, case.estimates
    held_out = {p: e[p].value for p in ("train_dev", "test") if p in e}
    first_dev = held_out.get("train_dev", m.dev_error)
    bias = _difference(m.train_error, case.scale.reference)
    variance = _difference(first_dev, m.train_error)
    noise = m.noise or 0.0
    remedies = _steps.Remedies(
        parts=() if cause else tuple(verdict.split(" and ")),
        cause=cause,
        falling=_falling(case),
        rising=rising,
        noisy=noise > max(abs(variance or 0.0), case.limits[1]),
        constant=_is_constant(case),
        rate=_rate(case),
        rare=bool(case.remarks),
        inputs=_inputs(case),
        penalized=_penalized(case),
        unsure=not cause and "cannot tell" in answers.values(),
        taken=case.given.facts.taken,
        known=case.given.facts.model is not None,
    )
    return Diagnosis(
        verdict=verdict,
        cause=cause,
        curves=case.curves,
        loss_curves=case.loss,
        rules=case.rules,
        measures=m,
        reference=case.scale.reference,
        scale=case.scale.size,
        avoidable_bias=bias,
        variance=variance,
        bias_limit=case.limits[0],
        variance_limit=case.limits[1],
        overfits=rising,
        train_dev_error=held_out.get("train_dev"),
        mismatch=_difference(m.dev_error, held_out.get("train_dev")),
        test_error=held_out.get("test"),
        dev_overfitting=_difference(held_out.get("test"), m.dev_error),
        steps=_steps.steps_for(remedies),
        taken=_steps.steps_taken(remedies),
        gaps=tuple(replace(gap, name=name) for name, gap in gaps.items()),
        answers=answers,
        remarks=case.remarks,
        output=case.output,
        source=case.scale.source,
        unclean=case.unclean,
        restored=case.given.restored if case.rules.at == "auto" else None,
    )


def _gaps(case):
    """The `Gap` of each pair of parts that is known, in order."""
    e, (low, high) = case.estimates, case.limits
    train, dev = e.get("train"), e.get("dev")
    held_out = e.get("train_dev", dev)
    reference = _sampling.exact(case.scale.reference)
    noise = case.noise
    both = (noise["train"] ** 2 + noise["dev"] ** 2) ** 0.5
    found = {
        BIAS: _sampling.gap(BIAS, train, reference, low, noise["train"]),
        VARIANCE: _sampling.gap(
            VARIANCE, held_out, train, high, both if train else 0.0
        ),
    }
    if "train_dev" in e:
        args = dev, e["train_dev"], high, noise["dev"]
        found[MISMATCH] = _sampling.gap(MISMATCH, *args)
    if "test" in e:
        args = e["test"], dev, high, noise["dev"]
        found[DEV_SET] = _sampling.gap(DEV_SET, *args)
    return {name: gap for name, gap in found.items() if gap is not None}


def _doubts(case, gaps, answers, rising):
    """Answers that the scale cannot bear, and why."""
    scale, doubts = case.scale, {}
    bias = gaps.get(BIAS)
    if bias is not None and answers[BIAS] == "high":
        if not scale.firm:
            doubts[BIAS] = "no scale"
        elif _may_be_noise(case, bias):
            doubts[BIAS] = "noise"
    loose = not scale.firm_variance and not rising
    if loose and answers.get(VARIANCE) == "high":
        doubts[VARIANCE] = "no scale"
    return doubts


def _may_be_noise(case, bias):
    if case.curves.is_score or case.rules.reference is not None:
        return False
    if case.measures.train_falling or case.scale.source == "first epoch":
        return False
    if _rate(case) or _is_constant(case):
        return False
    return bias.value <= _NOISE * bias.limit


def _why(case, gap):
    hidden = gap.name == BIAS or (gap.name == VARIANCE and gap.rows is None)
    if case.unclean == "noisy" and hidden:
        return "unclean"
    return "few rows" if gap.rows is not None else "borderline"


def _difference(high, low):
    return None if high is None or low is None else high - low


def _falling(case):
    if case.measures.train_falling or case.loss is None:
        return case.measures.train_falling
    # Of errors that were measured once, the loss tells.
    if case.measures.train_slope is not None:
        return False
    return measure(case.loss).train_falling


def _is_constant(case):
    """Whether the training error is near that of a constant answer."""
    train, constant = case.estimates.get("train"), case.scale.constant
    if train is None:
        return False
    if constant is not None:
        return train.value > 0.8 * constant
    curve = case.curves.train
    if case.curves.is_score and len(curve) > 3:
        # Never better than at the start, and poor.
        return bool(train.value > 0.9 * curve[0] and train.value > 0.3)
    return False


def _rate(case):
    """`"high"` if the training loss bounces, else an empty string."""
    curves = case.curves if case.loss is None else case.loss
    loss = curves.train
    if len(loss) < 4 or curves.is_score or not (loss == loss).all():
        return ""
    rate = case.given.facts.rate
    level = abs(float(loss[len(loss) // 2 :].mean())) or 1.0
    bounces = jitter(loss) > 0.1 * level and loss[-1] > 1.3 * loss.min()
    exploded = loss.max() > 10 * max(abs(loss[0]), 1e-12)
    large = rate is not None and rate > 3
    classes = case.given.facts.classes.get(case.output, 0)
    if case.given.facts.losses.get(case.output) == "ce" and classes > 1:
        # A net that knows nothing has the logarithm; one that was thrown far
        # off is sure and wrong.
        large |= loss[-1] > 2 * math.log(classes)
    stuck = large and _is_constant(case)
    return "high" if bounces or exploded or stuck else ""


def _penalized(case):
    """Whether penalties make up most of the loss."""
    loss = case.loss if case.loss is not None else case.curves
    last = loss.train[-1] if len(loss.train) else 0
    if loss.is_score or last != last:
        return False
    return case.given.facts.penalty > 0.3 * abs(float(last))


def _inputs(case):
    """`"images"`, `"other"`, or an empty string if not known."""
    model = case.given.facts.model
    try:
        ranks = [len(tensor.shape) for tensor in model.inputs]
    except (AttributeError, TypeError, ValueError):
        return ""
    return "images" if 4 in ranks else "other" if ranks else ""

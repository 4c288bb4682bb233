"""The next steps for each verdict, the most promising first."""

from dataclasses import dataclass

from keras_regopt.diagnosis import _advice as advice
from keras_regopt.diagnosis._advice import Step

__all__ = ["Remedies", "Step", "next_steps", "steps_for", "steps_taken"]

# The words by which `Facts.taken` tells that a step was taken.
_WORDS = {
    advice.STOP: "stop",
    advice.DROP: "drop",
    advice.DECAY: "decay",
    advice.PENALIZE: "penalize",
    advice.FLAT: "flat",
    advice.AVERAGE: "average",
    advice.CALM: "average",
}


@dataclass(frozen=True)
class Remedies:
    """What the steps depend on.

    Attributes:
        parts: The parts of the verdict; empty if it is undecided.
        cause: Why it is undecided.
        falling: Whether the error is still falling.
        rising: Whether the dev error has risen since its best epoch.
        noisy: Whether the dev curve is noisier than its gap to the training
            curve.
        constant: Whether the training error is near a constant answer's.
        rate: `"high"` if the learning rate seems too high.
        rare: Whether a rare class is missed.
        inputs: `"images"`, `"other"` or an empty string if not known.
        penalized: Whether penalties make up much of the loss.
        unsure: Whether one of the answers is "cannot tell".
        taken: Words for the steps that were taken.
        known: Whether the model is known, and so what was taken.
    """

    parts: tuple[str, ...] = ()
    cause: str = ""
    falling: bool = False
    rising: bool = False
    noisy: bool = False
    constant: bool = False
    rate: str = ""
    rare: bool = False
    inputs: str = ""
    penalized: bool = False
    unsure: bool = False
    taken: frozenset = frozenset()
    known: bool = False


def next_steps(verdict, **options):
    """The things to try next for a verdict, most promising first.

    Args:
        verdict: The verdict of a diagnosis.
        **options: Other fields of `Remedies`.

    Returns:
        A tuple of `Step`.
    """
    parts = () if verdict == "undecided" else tuple(verdict.split(" and "))
    return steps_for(Remedies(parts=parts, **options))


def steps_for(remedies):
    """The steps of `Remedies` that were not taken, most promising first."""
    taken = set(steps_taken(remedies))
    return tuple(step for step in _all(remedies) if step not in taken)


def steps_taken(remedies):
    """The steps of `Remedies` that the training has taken already."""
    return tuple(s for s in _all(remedies) if _WORDS.get(s) in remedies.taken)


def _all(r):
    if not r.parts:
        known = advice.UNDECIDED.get(r.cause, ())
        lower = r.rate == "high" and r.cause != "diverged"
        return (advice.LOWER_RATE, *known) if lower else known
    steps: list[Step] = []
    if "high bias" in r.parts:
        steps += _against_bias(r)
    if "high variance" in r.parts:
        steps += _against_variance(r)
    if "data mismatch" in r.parts:
        steps += advice.MISMATCH
    if "overfitting to the dev set" in r.parts:
        steps += advice.DEV_SET
    longer = [advice.LONGER] if r.falling else []
    if r.parts == ("fits",):
        steps += [
            *longer,
            *([advice.CALM] if r.noisy else []),
            advice.TEST,
            advice.REFINE,
        ]
    elif r.noisy:
        steps.append(advice.CALM)
    return tuple(steps)


def _against_bias(r):
    both = "high variance" in r.parts
    lower = [advice.LOWER_RATE] if r.rate == "high" else []
    # Where nothing was learned, all else may come of the rate.
    steps = list(lower) if r.constant else []
    steps += [advice.WEIGH] if r.rare and r.constant else []
    steps += [advice.CHECK] if r.constant else lower
    regularized = r.taken & {"drop", "augment", "penalize", "decay"}
    strong = r.penalized or r.taken & {"drop", "augment"}
    # Less regularization would raise a high variance further.
    less = [] if both or (r.known and not regularized) else [advice.LESS]
    if both and not r.constant:
        steps.append(advice.BOTH)
    if less and strong:
        steps += [advice.LESS]
        less = []
    steps += [advice.LONGER] if r.falling else []
    steps += [advice.LARGER, advice.OPTIMIZE, *less, advice.INPUTS]
    return steps if both else [*steps, advice.TUNE_SIZE]


def _against_variance(r):
    more = advice.MORE if r.inputs == "other" else advice.AUGMENT
    steps = [advice.WEIGH] if r.rare else []
    steps += [advice.STOP] if r.rising else []
    steps += [
        more,
        advice.DECAY,
        advice.DROP,
        advice.PENALIZE,
        advice.FLAT,
        advice.AVERAGE,
    ]
    return [*steps, advice.TUNE_STRENGTH]

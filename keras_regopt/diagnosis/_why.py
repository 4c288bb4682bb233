"""Why there is no verdict."""

import numpy as np


def why_undecided(d, gap=""):
    """Why there is no verdict, or no answer for a gap, in a sentence."""
    if d.cause == "diverged":
        bad = ~np.isfinite(d.curves.train)
        bad |= d.curves.measured & ~np.isfinite(d.curves.dev)
        if d.loss_curves is not None:
            bad |= ~np.isfinite(d.loss_curves.train)
        if not bad.any():
            return "The errors that were measured are not finite numbers."
        first = int(d.curves.epochs[bad][0])
        return (
            f"The training diverged: from epoch {first} on, errors are not "
            "finite numbers."
        )
    if d.cause == "no mode":
        return (
            f"The name {d.metric!r} does not tell whether higher is better, "
            "and no `mode` was given."
        )
    if gap and d.source == "first epoch":
        return _WHY["no scale"]
    return _WHY.get(d.cause) or _WHY["noise"]


_WHY = {
    "no dev": "There are no dev errors, so that variance cannot be told.",
    "one class": (
        "A recall, precision or the like of zero on the dev data, or an "
        "accuracy that never changes, shows that one class is never "
        "predicted; the accuracy hides this."
    ),
    "short": "There are fewer than three epochs with a dev error.",
    "no reference": (
        "Errors below zero show that zero is not the lowest that can be "
        "reached, and no `reference` was given."
    ),
    "no scale": (
        "There is no scale to tell whether the error is high: neither a "
        "`baseline` nor the targets `y` were given, and the first epoch is "
        "not that of an untrained model, or the loss has a lowest value that "
        "is not known."
    ),
    "noise": (
        "The error that is left may be noise in the targets, and no "
        "`reference` was given."
    ),
    "which epoch": (
        "A callback ended the training early, and the verdict on the last "
        "epoch is not that on the best. It cannot be seen from the history "
        "whether the best weights were restored."
    ),
}

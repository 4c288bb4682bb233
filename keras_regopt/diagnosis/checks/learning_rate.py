"""A learning rate that is too high or too low."""

import numpy as np
from keras import ops

from keras_regopt._keras import replace_rate
from keras_regopt.diagnosis.checks.base import Check

_STEPS, _LONGER = 12, 12
# Multiples of the rate that are tried where it does badly.
_LOWER, _HIGHER = (1 / 30, 1 / 1000), (30.0, 1000.0)
# By what part of the loss a few steps at a fitting rate lower it.
_PROGRESS = 0.1


class LearningRate(Check):
    """Whether the learning rate is far too high or far too low.

    Makes a few steps at the rate of the model. Where the loss falls well, or
    the weights move by a sound part of themselves, nothing more is done;
    where not, the same batches are tried at rates that are 30 and 1,000 times
    lower and higher.
    """

    name = "learning_rate"
    severity = "error"

    def run(self, case):
        probe = case.probe
        rates = probe.rates()
        own = self._try(case, rates, 1.0)
        told = " and ".join(f"{rate:.3g}" for _, rate in rates)
        # Updates of a thousandth of the weights are usual.
        moved = float(np.median(own.ratios)) if own.ratios else 0.0
        if own.finite and _progress(own) > _PROGRESS and moved < 0.3:
            return
        if not own.finite or moved > 0.1 or _progress(own) < -0.05:
            yield from self._too_high(case, rates, own, told, moved)
        elif moved < 1e-4:
            yield from self._too_low(case, rates, own, told, moved)

    def _too_high(self, case, rates, own, told, moved):
        for factor in _LOWER:
            lower = self._try(case, rates, factor)
            if lower.finite and _better(lower, own):
                ended = own.losses[-1] if own.losses else np.nan
                yield self.finding(
                    f"The learning rate {told} is too high: after "
                    f"{len(own.losses)} steps the loss is {ended:.3g}; at "
                    f"{_times(rates, factor)} it is "
                    f"{np.mean(lower.losses[-3:]):.3g}. The last step moved "
                    f"the weights by {moved:.0%} of their size.",
                    "Lower the rate; "
                    "`keras_regopt.callbacks.find_learning_rate` finds one.",
                )
                return

    def _too_low(self, case, rates, own, told, moved):
        for factor in _HIGHER:
            higher = self._try(case, rates, factor)
            gain = _progress(higher)
            if higher.finite and gain > 3 * max(_progress(own), 0.02):
                yield self.finding(
                    f"The learning rate {told} is too low: "
                    f"{len(own.losses)} steps change the loss by "
                    f"{-_progress(own):+.1%}; at {_times(rates, factor)} by "
                    f"{-gain:+.1%}. A step moves the weights by {moved:.0e} "
                    "of their size.",
                    "Raise the rate; "
                    "`keras_regopt.callbacks.find_learning_rate` finds one.",
                )
                return

    def _try(self, case, rates, factor):
        probe = case.probe
        probe.reset()
        for holder, rate in rates:
            replace_rate(holder, _constant(factor * rate))
        batches = [probe.batch(number % 4) for number in range(_STEPS)]
        run = probe.train(batches, probe.own_optimizer())
        probe.reset()
        return run


def _constant(rate):
    return lambda: ops.convert_to_tensor(rate, dtype="float32")


def _progress(run):
    """By what part the loss fell, from the first steps to the last."""
    count = min(4, max(len(run.losses) // 2, 1))
    first = np.mean(run.losses[:count])
    return float((first - np.mean(run.losses[-count:])) / max(abs(first), 1e-9))


def _better(lower, own):
    """Whether a run ends clearly below another, which does not fall."""
    if not own.finite:
        return True
    end = np.mean(lower.losses[-3:])
    return end < 0.8 * np.mean(own.losses[-3:])


def _times(rates, factor):
    return " and ".join(f"{factor * rate:.3g}" for _, rate in rates)

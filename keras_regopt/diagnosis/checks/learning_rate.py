"""A learning rate that is too high or too low."""

import numpy as np

from keras_regopt.diagnosis.checks.base import Check

# Steps of a trial: three rounds of the same four batches, or eight.
_STEPS, _LONG, _ROUND = 12, 32, 4
# By what part of the loss a few steps at a fitting rate lower it.
_PROGRESS = 0.1
# A loss of so many times that at a lower rate has bounced.
_BOUNCE = 1.5
# A step that moves the weights by this part of themselves is looked into.
_MOVED = 0.03
# A step that moves them by less than this part hardly changes anything.
_STILL = 1e-4


class LearningRate(Check):
    """Whether the learning rate is far too high or far too low.

    Makes twelve steps at the rate of the model. Where the loss bounces or the
    weights move by a large part of themselves, the same batches are tried
    at a thirtieth and a thousandth of the rate, and for 32 steps, since a
    loss may rise only later; where the loss hardly moves, at a thousand times
    the rate, and for 32 steps where the weights stand still. Of a schedule, the
    highest rate counts.
    """

    name = "learning_rate"
    severity = "error"

    def run(self, case):
        rates = case.probe.rates()
        own = self._try(case, 1.0)
        told = _times(rates, 1)
        # Updates of a thousandth of the weights are usual.
        moved = float(np.median(own.ratios)) if own.ratios else 0.0
        bounced = own.finite and max(own.losses) > _BOUNCE * own.losses[0]
        if not own.finite or bounced or moved > _MOVED:
            found = self._too_high(case, own) or self._later(case)
            if found:
                own, lower, factor = found
                yield self.finding(
                    f"The learning rate {told} is too high: within "
                    f"{len(own.losses)} steps {_course(own)}; at "
                    f"{_times(rates, factor)} {_course(lower)}. The last step "
                    f"moved the weights by {moved:.1%} of their size.",
                    "Lower the rate; "
                    "`keras_regopt.callbacks.find_learning_rate` finds one.",
                )
        elif _progress(own) < _PROGRESS and moved < 0.01:
            yield from self._too_low(case, rates, own, told, moved)

    def _too_high(self, case, own):
        """The run, a better one at a lower rate, and the factor; or `None`."""
        for factor in (1 / 30, 1 / 1000):
            lower = self._try(case, factor)
            if not lower.finite:
                continue
            bounce = _bounce(own, lower)
            ended = np.mean(own.losses[-_ROUND:])
            better = np.mean(lower.losses[-_ROUND:])
            if bounce > 2 * _BOUNCE or better < 0.7 * ended:
                return own, lower, factor
        return None

    def _later(self, case):
        """As `_too_high`, of a loss that rises or stays only later."""
        own = self._try(case, 1.0, _LONG)
        ended = np.mean(own.losses[-2 * _ROUND :])
        for factor in (1 / 10, 1 / 30):
            lower = self._try(case, factor, _LONG)
            if not lower.finite:
                continue
            better = np.mean(lower.losses[-2 * _ROUND :])
            worse = ended > max(2 * better, 0.3 * own.losses[0])
            if worse or not own.finite:
                return own, lower, factor
        return None

    def _too_low(self, case, rates, own, told, moved):
        higher = self._try(case, 1000.0)
        ends = _ends(own, higher)
        if ends is None and moved < _STILL:
            # A net that begins slowly needs more steps to tell.
            own = self._try(case, 1.0, _LONG)
            higher = self._try(case, 1000.0, _LONG)
            ends = _ends(own, higher)
        if ends is not None:
            first, end, better = ends
            yield self.finding(
                f"The learning rate {told} is too low: {len(own.losses)} "
                f"steps bring the loss from {first:.4g} to {end:.4g}; at "
                f"{_times(rates, 1000)} to {better:.4g}. The last step moved "
                f"the weights by {moved:.0e} of their size.",
                "Raise the rate; "
                "`keras_regopt.callbacks.find_learning_rate` finds one.",
            )

    def _try(self, case, factor, steps=_STEPS):
        probe = case.probe
        batches = [probe.batch(number % _ROUND) for number in range(steps)]
        run = probe.train_at(factor, batches)
        probe.reset()
        return run


def _progress(run):
    """By what part the loss fell, from the first steps to the last."""
    count = min(_ROUND, max(len(run.losses) // 2, 1))
    first = np.mean(run.losses[:count])
    return float((first - np.mean(run.losses[-count:])) / max(abs(first), 1e-9))


def _ends(own, higher):
    """Where a run begins and ends, and another one ends, if that is better.

    `None` if it is not, by more than twice what the first run gains and by
    0.3 %, or if it bounces.
    """
    if not higher.finite or _bounce(higher, own) > _BOUNCE:
        return None
    # Of the same batches, so that their differences do not count.
    ends = [np.mean(run.losses[-_ROUND:]) for run in (own, higher)]
    first = np.mean(own.losses[:_ROUND])
    gain = ends[0] - ends[1]
    if gain > max(2 * (first - ends[0]), 0.003 * abs(first)):
        return first, *ends
    return None


def _course(run):
    """How far the loss of a run went up, and where it ended, in words."""
    return (
        f"the loss went up to {max(run.losses):.3g} and ended at "
        f"{np.mean(run.losses[-_ROUND:]):.3g}"
    )


def _bounce(high, low):
    """How many times a loss of one run is that of another at its most."""
    if not high.finite:
        return np.inf
    count = min(len(high.losses), len(low.losses))
    below = np.maximum(np.abs(low.losses[:count]), 1e-6)
    # Losses near zero bounce by many times, and it is nothing.
    floor = 0.1 * np.mean(below)
    return float(np.max(np.array(high.losses[:count]) / (below + floor)))


def _times(rates, factor):
    return " and ".join(f"{factor * rate:.3g}" for rate in rates)

"""Measures of error curves."""

from dataclasses import dataclass

import numpy as np

# A fall over the last epochs counts when it exceeds this fraction of the error
# and twice its standard error.
_WORTHWHILE = 0.05
# A rise since the best epoch counts when it exceeds this fraction of the error
# of an untrained model and four times the noise. It is taken between means
# of as many epochs, since the lowest of many noisy values is low by chance.
_NEGLIGIBLE = 0.01
_CHANCE = 4


@dataclass(frozen=True)
class Measures:
    """Values of the curves at the judged epochs.

    All errors are in the unit of the metric, slopes are per epoch.

    Attributes:
        train_error: Training error, averaged over the last epochs.
        dev_error: Dev error, averaged over the same epochs.
        averaged: Over how many epochs the errors are averaged.
        best_epoch: The epoch of the lowest dev error, from 1.
        best_dev_error: The lowest dev error.
        dev_rise: How far the dev error has risen since.
        generalization_loss: The rise in percent of the lowest dev error.
        train_slope: Slope of the training error over the last epochs.
        dev_slope: Slope of the dev error over the last epochs.
        noise: Standard deviation of single dev errors, from the differences
            of neighbors in the second half.
        train_falling: Whether the training error is still falling.
        dev_falling: Whether the dev error is still falling.
    """

    train_error: float | None = None
    dev_error: float | None = None
    averaged: int = 0
    best_epoch: int | None = None
    best_dev_error: float | None = None
    dev_rise: float | None = None
    generalization_loss: float | None = None
    train_slope: float | None = None
    dev_slope: float | None = None
    noise: float | None = None
    train_falling: bool = False
    dev_falling: bool = False


def measure(curves, at="last"):
    """Measures the curves.

    Args:
        curves: A `Curves`.
        at: `"last"`, `"best"` for the epoch of the lowest dev error, or an
            epoch's number from 1.

    Returns:
        A `Measures`; without dev errors, only its training values are set.
    """
    train = _Line(curves.epochs, curves.train)
    both = np.where(np.isfinite(curves.train), curves.dev, np.nan)
    dev = _Line(curves.epochs, both)
    if not len(train.values):
        return Measures()
    if not len(dev.values):
        return Measures(
            train_error=train.last(),
            averaged=train.averaged,
            train_slope=train.slope,
            train_falling=train.falling,
        )
    best = int(np.argmin(dev.values))
    lowest = float(dev.values[best])
    rise = dev.last() - lowest
    judged = dev.epochs[best] if at == "best" else at
    if judged != "last" and judged in dev.epochs:
        train_error = float(curves.train[curves.epochs == judged][0])
        dev_error = float(dev.values[dev.epochs == judged][0])
        averaged = 1
    else:
        # The same epochs for both, so that the gap compares like with like.
        since = dev.epochs[-dev.averaged]
        train_error = float(np.nanmean(curves.train[curves.epochs >= since]))
        dev_error, averaged = dev.last(), dev.averaged
    return Measures(
        train_error=train_error,
        dev_error=dev_error,
        averaged=averaged,
        best_epoch=int(dev.epochs[best]),
        best_dev_error=lowest,
        dev_rise=rise,
        generalization_loss=100 * rise / lowest if lowest > 0 else None,
        train_slope=train.slope,
        dev_slope=dev.slope,
        noise=dev.noise,
        train_falling=train.falling,
        dev_falling=dev.falling,
    )


def rises(curves, measures, scale, tolerance):
    """Whether the dev error has turned and risen while training went on.

    Args:
        curves: A `Curves`.
        measures: Its `Measures`, taken at the last epoch.
        scale: The error of an untrained model.
        tolerance: The fraction of the lowest dev error that a rise must exceed.

    Returns:
        A bool. The rise must also exceed the noise of the curve and a
        hundredth of `scale`, and the training error must have fallen.
    """
    if measures.best_epoch is None or measures.noise is None:
        return False
    at_best = curves.train[curves.epochs == measures.best_epoch][0]
    least = max(
        tolerance * abs(measures.best_dev_error),
        _CHANCE * measures.noise,
        _NEGLIGIBLE * scale,
    )
    dev = curves.dev[np.isfinite(curves.dev)]
    window = np.ones(measures.averaged) / measures.averaged
    rise = measures.dev_error - np.convolve(dev, window, "valid").min()
    return bool(measures.train_error < at_best and rise > least)


def jitter(values):
    """Standard deviation of single values around any smooth course.

    From the second differences in the second half; zero for fewer than eight
    values.
    """
    values = values[np.isfinite(values)]
    if len(values) < 8:
        return 0.0
    bends = np.diff(values[-max(len(values) // 2, 6) :], n=2)
    return float(np.sqrt(np.mean(bends**2) / 6))


class _Line:
    """The end of a curve, and a straight line through it."""

    def __init__(self, epochs, values):
        finite = np.isfinite(values)
        self.epochs, self.values = epochs[finite], values[finite]
        count = len(self.values)
        self.averaged = int(np.clip(count // 10, 1, 5))
        self.slope = self.noise = None
        self.falling = False
        # The last quarter, but no fewer than four points and no more than 20.
        window = int(np.clip(count // 4, 4, 20))
        if count >= window:
            self._fit(self.epochs[-window:], self.values[-window:])
            # From epoch to epoch, so that no trend counts as noise.
            steps = np.diff(self.values[-max(window, count // 2) :])
            self.noise = float(np.sqrt(np.mean(steps**2) / 2))

    def last(self):
        return float(self.values[-self.averaged :].mean())

    def _fit(self, epochs, values):
        centered = epochs - epochs.mean()
        squares = (centered**2).sum()
        slope = (centered * values).sum() / squares
        residuals = values - values.mean() - slope * centered
        deviation = np.sqrt((residuals**2).sum() / (len(values) - 2))
        fall = -slope * (epochs[-1] - epochs[0])
        self.slope = float(slope)
        self.falling = bool(
            fall > _WORTHWHILE * abs(values[-1])
            and -slope > 2 * deviation / np.sqrt(squares)
        )

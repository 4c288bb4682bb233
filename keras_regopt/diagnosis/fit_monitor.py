import os
from dataclasses import replace
from typing import Any

from keras import ops

from keras_regopt._keras import print_msg
from keras_regopt._registry import register
from keras_regopt._types import Path
from keras_regopt._validate import fail, integer, positive_int
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.monitoring._monitored_metric import (
    inferred_direction,
)
from keras_regopt.diagnosis._curves import has_direction
from keras_regopt.diagnosis._rules import Rules
from keras_regopt.diagnosis._wording import one_line
from keras_regopt.diagnosis.checks.in_fit import FitChecks
from keras_regopt.diagnosis.diagnose import judge


@register
class FitMonitor(Callback):
    """Diagnoses a training while it runs.

    After each epoch it judges the curves so far as `diagnose` does, prints
    one line when the verdict changes, and keeps the diagnosis. At the end it
    can write a report. Put it after callbacks that change the logs.

    Args:
        monitor: Metric to judge by, or `"auto"`; see `diagnose`. Defaults to
            `"auto"`.
        reference: The lowest error that can be reached, in the metric's
            unit, or `None`, the default, for zero.
        baseline: Error of a model that knows nothing, or `None`, the
            default, for the training error of the first epoch.
        mode: `"max"` if higher is better, `"min"` if lower is, or `"auto"`,
            the default, to tell by the metric's name or by Keras' metric;
            where neither tells it, the verdict is `"undecided"`.
        bias_tolerance: Avoidable bias that is not yet high, at least 0, or
            `None`, the default, for the one that `diagnose` takes.
        variance_tolerance: Variance that is not yet high, likewise.
        rise_tolerance: Rise of the dev loss that counts as overfitting, at
            least 0. Defaults to `0.2`.
        every: Epochs from one diagnosis to the next, at least 1. Defaults to
            `1`. The end of the training is always diagnosed.
        verbose: `1`, the default, prints a line when the verdict changes,
            `0` prints nothing.
        log_dir: Folder for TensorBoard, which then shows the values of each
            diagnosis and, at the end, text and learning curves. Defaults to
            `None`, which writes nothing.
        report: Path of the HTML report to write at the end. Defaults to
            `None`, which writes none.
        checks: `"all"`, or a list of checks by name, to run `check` on the
            arrays of `fit` before the first epoch, and those of gradients
            and units again at the end. Defaults to `None`, which runs none.

    Attributes:
        check_results: The `CheckResult` from before the training, and that
            from its end, in a list.

    Raises:
        ValueError: During training, if the logs do not contain the metric.
        ImportError: At the start of a training, if `log_dir` or `report` is
            given and Matplotlib is not installed.

    Examples:
        >>> monitor = FitMonitor(reference=0.02, verbose=0)
        >>> monitor.on_train_begin()
        >>> for epoch, error in enumerate([0.9, 0.4, 0.1, 0.03]):
        ...     logs = {"loss": error, "val_loss": error + 0.3}
        ...     monitor.on_epoch_end(epoch, logs)
        >>> monitor.diagnosis.verdict
        'high variance'

    References:
        Ng 2018, Machine learning yearning, chapters 20 to 27.
    """

    state_attributes = ("curves", "epochs", "verdict")

    # The open event file; not part of the state.
    _log: Any = None

    def __init__(
        self,
        monitor: str = "auto",
        reference: float | None = None,
        baseline: float | None = None,
        mode: str = "auto",
        bias_tolerance: float | None = None,
        variance_tolerance: float | None = None,
        rise_tolerance: float = 0.2,
        every: int = 1,
        verbose: int = 1,
        log_dir: Path | None = None,
        report: Path | None = None,
        checks: Any = None,
    ):
        super().__init__()
        self.monitor = monitor
        self.reference = reference
        self.baseline = baseline
        self.mode = mode
        self.bias_tolerance = bias_tolerance
        self.variance_tolerance = variance_tolerance
        self.rise_tolerance = rise_tolerance
        self._rules().check(self)
        self.every = positive_int(self, "every", every)
        self.verbose = integer(self, "verbose", verbose, low=0, high=1)
        self.log_dir = _path(self, "log_dir", log_dir)
        self.report = _path(self, "report", report)
        self.checks = checks
        self._checks = None
        if checks is not None:
            self._checks = FitChecks(self, checks, self.verbose)
        self.check_results: list[Any] = []
        self.reset()

    @property
    def diagnosis(self):
        """The `Diagnosis` of the epochs so far, or `None` before the first."""
        if not self.epochs:
            return None
        rules = replace(self._rules(), mode=self._known_mode())
        return judge(rules, _History(self))

    def on_train_begin(self, logs=None):
        if self.log_dir is not None or self.report is not None:
            from keras_regopt._matplotlib import require_matplotlib

            require_matplotlib()
        super().on_train_begin(logs)
        if self._checks is not None:
            self.check_results = [self._checks.begin(self.model)]
        self._log = None
        if self.log_dir is not None:
            from keras_regopt.diagnosis._event_log import EventLog

            self._log = EventLog(self.log_dir)

    def on_epoch_end(self, epoch, logs=None):
        self._keep(epoch, logs or {})
        if self.epochs and (epoch + 1) % self.every == 0:
            self._diagnose()

    def on_train_end(self, logs=None):
        if self._checks is not None:
            self.check_results.append(self._checks.end(self.model))
        super().on_train_end(logs)
        if not self.epochs:
            return
        if (self.epochs[-1] + 1) % self.every:
            self._diagnose()
        if self._log is not None:
            self._log.write_summary(self.diagnosis)
        if self.report is not None:
            self.diagnosis.to_html(self.report)

    def reset(self):
        self.curves = {}
        self.epochs = []
        self.verdict = None

    def _keep(self, epoch, logs):
        # A training that resumes may run its last epoch again.
        known = sum(earlier < epoch for earlier in self.epochs)
        self.epochs = self.epochs[:known]
        numbers = {name: _number(value) for name, value in logs.items()}
        numbers = {n: v for n, v in numbers.items() if v is not None}
        if not numbers:
            return
        for name in {**self.curves, **numbers}:
            # None where an epoch had no such value, as dev errors that are
            # taken every few epochs.
            values = self.curves.get(name, [])[:known]
            values = values + [None] * (known - len(values))
            self.curves[name] = [*values, numbers.get(name)]
        self.epochs.append(epoch)

    def _diagnose(self):
        diagnosis = self.diagnosis
        if self._log is not None:
            self._log.write_epoch(diagnosis)
        # That three epochs are too few is no news.
        if diagnosis.cause == "short" or diagnosis.verdict == self.verdict:
            return
        self.verdict = diagnosis.verdict
        if self.verbose:
            epoch = self.epochs[-1] + 1
            # Keras' progress bar is still on its line.
            print_msg(f"\nEpoch {epoch}: FitMonitor: {one_line(diagnosis)}")

    def _known_mode(self):
        """The mode, from Keras' metric where its name does not tell it."""
        named = self.monitor.removeprefix("val_")
        if self.mode != "auto" or named == "auto" or has_direction(named):
            return self.mode
        better = inferred_direction(self.model, named)
        if better is None:
            return "auto"
        return "max" if better is ops.greater else "min"

    def _rules(self):
        return Rules(
            monitor=self.monitor,
            mode=self.mode,
            reference=self.reference,
            baseline=self.baseline,
            bias_tolerance=self.bias_tolerance,
            variance_tolerance=self.variance_tolerance,
            rise_tolerance=self.rise_tolerance,
        )


class _History:
    """The curves of a monitor in the form of what `fit` returns."""

    def __init__(self, monitor):
        self.history = monitor.curves
        self.epoch = monitor.epochs


def _path(owner, argument, path):
    if path is None:
        return None
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        fail(owner, argument, "a path, or None", path)
    return os.fspath(path)


def _number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None

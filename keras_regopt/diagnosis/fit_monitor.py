import os
from dataclasses import replace
from typing import Any

import keras
from keras import ops

from keras_regopt._keras import print_msg, running_fit
from keras_regopt._registry import register
from keras_regopt._types import Path
from keras_regopt._validate import fail, integer, positive_int
from keras_regopt.callbacks._base import Callback
from keras_regopt.callbacks.monitoring._monitored_metric import (
    inferred_direction,
)
from keras_regopt.diagnosis._curves import CLEAN
from keras_regopt.diagnosis._evaluate import pair, sample
from keras_regopt.diagnosis._metric_names import has_direction
from keras_regopt.diagnosis._outputs import judge
from keras_regopt.diagnosis._parts import read
from keras_regopt.diagnosis._rules import Rules
from keras_regopt.diagnosis._wording import one_line
from keras_regopt.diagnosis.checks.in_fit import FitChecks


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
        train_data: A pair `(x, y)` of training data. With each diagnosis, the
            model is evaluated on up to 2,000 of its rows, without dropout and
            augmentation, and judged by that training error; it is added to
            the logs as `clean_loss`, `clean_accuracy` and so on. Defaults to
            `None`, which takes the training error of the logs.
        dev_rows: The number of dev rows, for what chance leaves open.
            Defaults to `None`; see `diagnose`.
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

    state_attributes = ("curves", "epochs", "verdict", "cause")

    # The open event file, and what is known of the running fit; not part of
    # the state.
    _log: Any = None
    _callbacks: Any = None
    _ended = False

    def __init__(
        self,
        monitor: str = "auto",
        reference: float | None = None,
        baseline: float | None = None,
        mode: str = "auto",
        bias_tolerance: float | None = None,
        variance_tolerance: float | None = None,
        rise_tolerance: float = 0.2,
        train_data: Any = None,
        dev_rows: int | None = None,
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
        self.train_data = _pair(self, train_data)
        self.dev_rows = integer(
            self, "dev_rows", dev_rows, low=1, optional=True
        )
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
        y = None if self.train_data is None else self.train_data[1]
        given = read(
            self,
            self.model if isinstance(self.model, keras.Model) else None,
            self._callbacks,
            {},
            {},
            y,
            None,
            self.dev_rows,
            False,
        )
        if not self._ended:
            # Nothing is restored before the end.
            given = replace(given, restored=None)
        return judge(self, rules, _History(self), given)

    def on_train_begin(self, logs=None):
        if self.log_dir is not None or self.report is not None:
            from keras_regopt._matplotlib import require_matplotlib

            require_matplotlib()
        super().on_train_begin(logs)
        _, callbacks = running_fit(self.model)
        self._callbacks = getattr(callbacks, "callbacks", None)
        self._ended = False
        if self._checks is not None:
            self.check_results = [self._checks.begin(self.model)]
        self._log = None
        if self.log_dir is not None:
            from keras_regopt.diagnosis._event_log import EventLog

            self._log = EventLog(self.log_dir)

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        if self.train_data is not None and (epoch + 1) % self.every == 0:
            self._measure(logs)
        self._keep(epoch, logs)
        if self.epochs and (epoch + 1) % self.every == 0:
            self._diagnose()

    def on_train_end(self, logs=None):
        if self._checks is not None:
            self.check_results.append(self._checks.end(self.model))
        super().on_train_end(logs)
        if not self.epochs:
            return
        self._ended = True
        if (self.epochs[-1] + 1) % self.every:
            self._diagnose()
        if self._log is not None:
            self._log.write_summary(self.diagnosis)
        if self.report is not None:
            self.diagnosis.to_html(self.report)

    def reset(self):
        self.curves = {}
        self.epochs = []
        self.verdict = self.cause = None

    def _measure(self, logs):
        """Adds the errors on training data, as they are in inference."""
        x, y, _ = sample(*self.train_data)
        found = self.model.evaluate(
            x, y, batch_size=256, verbose=0, return_dict=True
        )
        logs.update({CLEAN + name: value for name, value in found.items()})

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
        found = diagnosis.verdict, diagnosis.cause
        if diagnosis.cause == "short" or found == (self.verdict, self.cause):
            return
        self.verdict, self.cause = found
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
        self.params = {}


def _path(owner, argument, path):
    if path is None:
        return None
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        fail(owner, argument, "a path, or None", path)
    return os.fspath(path)


def _pair(owner, data):
    if data is None:
        return None
    data = tuple(data) if isinstance(data, list) else data
    return tuple(pair(owner, "train_data", data))


def _number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None

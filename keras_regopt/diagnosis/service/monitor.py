"""Watches the data of a model in service."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_regopt._types import Path
from keras_regopt._validate import fail, in_range, integer, positive_int
from keras_regopt.diagnosis.service import state
from keras_regopt.diagnosis.service.reference import (
    Reference,
    sampled,
    watched_columns,
)
from keras_regopt.diagnosis.service.streams import NAMES, Stream
from keras_regopt.diagnosis.service.window_report import WindowReport

_KEPT_REPORTS = 1000
_SETTINGS = ("window", "alpha", "least_psi", "patience", "bins", "seed")


class Monitor:
    """Compares what a model meets in service with a reference, by windows.

    Each column of the inputs, the model's predictions and, where known, its
    errors is compared in windows of rows:

    - numbers by Kolmogorov and Smirnov's test, categories by a chi-squared
      test, missing values by Fisher's; the p-values are corrected for
      the number of columns (Holm);
    - both by the population stability index, the sum over bins of
      `(q - p) * log(q / p)`.

    A column has drifted where its p-value is below `alpha` and its index at
    least `least_psi`: the first keeps false alarms rare, the second keeps
    silent on what is certain and small.

    For the reference, take rows that the model has not learned from: on those
    of its training, its predictions are surer than they will be in service.

    Args:
        reference: Inputs: an array of one or two axes, a dict of such arrays,
            or a data frame; with a `model` also images and the like, which are
            watched by what it returns.
        predictions: Predictions for it, without a `model`. Optional.
        errors: The error of each prediction, such as its loss, or 1 for a wrong
            class. Optional, as labels may come late or never.
        model: A function or a Keras model that returns predictions or
            embeddings for inputs. It is not saved. Optional.
        categorical: Names of the columns whose numbers are categories; strings
            and booleans always are. The column `i` of an array is `"x[i]"`.
        window: Rows of a window, at least 30. Defaults to `500`.
        alpha: Probability of a false alarm in a window, of all columns
            together, above 0 and below 1. Defaults to `0.001`.
        least_psi: Index from which on a drift matters, at least 0. Defaults
            to `0.1`, a moderate drift.
        patience: How many windows in a row must raise an alarm before
            `should_update` is true, at least 1. Defaults to `1`.
        bins: Bins of the index, at least 2. Defaults to `10`.
        detectors: `"adwin"`, `"page_hinkley"` or both: detectors of river that
            watch the mean of the errors, else of the model's confidence or
            first output, row by row. Needs `pip install
            'keras_regopt[drift]'`. Defaults to none.
        seed: Seed of the sample of a reference of more than 20,000 rows.

    Attributes:
        reports: The last 1,000 `WindowReport`.

    Raises:
        ValueError: If an argument is out of its range, or the data have no
            columns.
        ImportError: If `detectors` are asked for and river is not installed.

    Examples:
        >>> random = np.random.default_rng(0)
        >>> monitor = Monitor(random.normal(size=(2000, 3)))
        >>> monitor.observe(random.normal(size=(500, 3)))
        [<WindowReport 1: no drift>]
        >>> shifted = random.normal(size=(500, 3)) + [0.5, 0, 0]
        >>> monitor.observe(shifted)[0].drifted
        ('x[0]',)
        >>> monitor.should_update()
        True

    References:
        Siddiqi 2006, Credit risk scorecards, for the stability index.
        Bifet and Gavalda 2007, Learning from time-changing data (ADWIN).
        Page 1954, Continuous inspection schemes.
    """

    def __init__(
        self,
        reference: Any,
        predictions: Any = None,
        errors: Any = None,
        *,
        model: Callable[[Any], Any] | None = None,
        categorical: Sequence[str] = (),
        window: int = 500,
        alpha: float = 0.001,
        least_psi: float = 0.1,
        patience: int = 1,
        bins: int = 10,
        detectors: Sequence[str] = (),
        seed: int = 0,
    ):
        self.window = integer(self, "window", window, low=30)
        self.alpha = in_range(self, "alpha", alpha, above=0, below=1)
        self.least_psi = in_range(self, "least_psi", least_psi, low=0)
        self.patience = positive_int(self, "patience", patience)
        self.bins = integer(self, "bins", bins, low=2)
        self.seed = integer(self, "seed", seed, low=0)
        self.model = model
        self.categorical = _names(self, "categorical", categorical)
        detectors = _names(self, "detectors", detectors)
        if not set(detectors) <= set(NAMES):
            fail(self, "detectors", f"a list of {NAMES}", detectors)
        columns = watched_columns(self, reference, predictions, errors)
        unknown = set(self.categorical) - set(columns)
        if unknown:
            fail(self, "categorical", f"names of {list(columns)}", categorical)
        self._reference = Reference(sampled(columns, self.seed), self.bins)
        self._streams = self._make_streams(detectors)
        self.reports: list[WindowReport] = []
        self._number, self._in_a_row, self._alarmed = 0, 0, False
        self._buffer = {name: values[:0] for name, values in columns.items()}

    def observe(self, x: Any, predictions: Any = None, errors: Any = None):
        """Adds rows, and compares the windows that they fill.

        Args:
            x: Inputs, of the columns of the reference; any number of rows.
            predictions: The predictions for them, if the reference has some
                and there is no `model`.
            errors: Their errors, if the reference has some.

        Returns:
            A list of one `WindowReport` for each window that is now full; the
            rows that are left wait for the next call.

        Raises:
            ValueError: If the columns are not those of the reference.
        """
        columns = watched_columns(self, x, predictions, errors)
        self._reference.require_same(self, columns)
        self._buffer = {
            name: np.concatenate([values, columns[name]])
            for name, values in self._buffer.items()
        }
        reports = []
        while len(next(iter(self._buffer.values()))) >= self.window:
            now = {n: v[: self.window] for n, v in self._buffer.items()}
            self._buffer = {
                n: v[self.window :] for n, v in self._buffer.items()
            }
            reports.append(self._compare(now))
        return reports

    def should_update(self):
        """Whether the data have drifted since the monitor was made.

        It stays so: after an update, make a monitor with a new reference.

        Returns:
            `True` once `patience` windows in a row raised an alarm.
        """
        return self._alarmed

    @property
    def reason(self):
        """What the last window that raised an alarm has found."""
        for report in reversed(self.reports):
            if report.alarm:
                return f"window {report.number}: {report.reason}"
        return "no drift"

    def __repr__(self):
        advice = "update" if self._alarmed else "no update"
        return (
            f"<Monitor of {len(self._buffer)} columns, {self._number} "
            f"windows: {advice}>"
        )

    def save(self, path: Path):
        """Saves reference, rows of an unfinished window, and alarms.

        Neither the model nor `reports` are saved.

        Args:
            path: The file, which is replaced in one step. It is a NumPy archive
                without pickled objects.
        """
        arrays = {}
        for number, (name, values) in enumerate(
            self._reference.values().items()
        ):
            arrays[f"reference_{number}"] = values
            arrays[f"buffer_{number}"] = self._buffer[name]
        found = {}
        for stream in self._streams:
            seen, found[stream.name] = stream.state()
            arrays[f"stream_{stream.name}"] = seen
        plain = {
            "settings": {name: getattr(self, name) for name in _SETTINGS},
            "categorical": list(self.categorical),
            "columns": list(self._reference.values()),
            "streams": found,
            "has_model": self.model is not None,
            "windows": [self._number, self._in_a_row, self._alarmed],
        }
        state.save(path, plain, arrays)

    @classmethod
    def load(cls, path: Path, model: Callable[[Any], Any] | None = None):
        """A monitor that goes on where a saved one stood.

        Args:
            path: The file that `save` wrote.
            model: The model, if the saved monitor had one.

        Returns:
            A `Monitor`.

        Raises:
            ValueError: If the model is missing, or there was none.
            RuntimeError: If the file is damaged or of something else.
        """
        plain, arrays = state.load(path)
        if plain["has_model"] != (model is not None):
            allowed = "the model that the saved monitor had"
            if not plain["has_model"]:
                allowed = "None, as the saved monitor had no model"
            fail(cls, "model", allowed, model)
        monitor = cls.__new__(cls)
        monitor.model = model
        monitor._restore(plain, arrays)  # noqa: SLF001
        return monitor

    def _restore(self, plain, arrays):
        """Goes back to a state that `save` has written."""
        for name, value in plain["settings"].items():
            setattr(self, name, value)
        self.categorical = tuple(plain["categorical"])
        names = plain["columns"]
        columns = {n: arrays[f"reference_{i}"] for i, n in enumerate(names)}
        self._reference = Reference(columns, self.bins)
        self._buffer = {
            name: arrays[f"buffer_{i}"] for i, name in enumerate(names)
        }
        self._streams = self._make_streams(plain["streams"])
        for stream in self._streams:
            seen = arrays[f"stream_{stream.name}"]
            stream.restore(seen, plain["streams"][stream.name])
        self.reports = []
        self._number, self._in_a_row, self._alarmed = plain["windows"]

    def _make_streams(self, detectors):
        """The detectors, on the errors or on what the model returns."""
        if not detectors:
            return []
        self._watched = self._reference.watched()
        if self._watched is None:
            allowed = "none without errors or predictions to watch"
            fail(self, "detectors", allowed, list(detectors))
        values = self._reference.values()[self._watched]
        scale = float(np.nanstd(values)) or 1.0
        return [
            Stream(name, float(np.nanmean(values)), scale) for name in detectors
        ]

    def _compare(self, columns):
        """The report of a full window."""
        self._number += 1
        found = self._reference.compare(columns)
        drifted = tuple(
            name
            for name, c in found.items()
            if c.p_value < self.alpha and c.psi >= self.least_psi
        )
        changed = tuple(
            stream.name
            for stream in self._streams
            if stream.add(columns[self._watched])
        )
        report = WindowReport(
            self._number, self.window, found, drifted, changed
        )
        self._in_a_row = self._in_a_row + 1 if report.alarm else 0
        self._alarmed = self._alarmed or self._in_a_row >= self.patience
        self.reports = [*self.reports, report][-_KEPT_REPORTS:]
        return report


def _names(owner, argument, names):
    """A tuple of strings."""
    if isinstance(names, str) or not all(isinstance(n, str) for n in names):
        fail(owner, argument, "a list of names", names)
    return tuple(names)

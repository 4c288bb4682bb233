"""The result of a diagnosis, as text, dict, figure, TensorBoard and HTML."""

from dataclasses import asdict, dataclass, field
from html import escape

import numpy as np

from keras_regopt.diagnosis import _wording
from keras_regopt.diagnosis._curves import Curves
from keras_regopt.diagnosis._measures import Measures
from keras_regopt.diagnosis._rules import Rules
from keras_regopt.diagnosis._sampling import Gap
from keras_regopt.diagnosis._steps import Step
from keras_regopt.diagnosis.report import write_report


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """Verdict on a training, made by `diagnose`.

    Errors are in the unit of the metric; for an accuracy, `0.02` is 2 %.

    Attributes:
        verdict: `"high bias"`, `"high variance"`, `"high bias and high
            variance"`, `"fits"` or `"undecided"`; with a `train_dev` also
            `"data mismatch"`, and with a `test` also `"overfitting to the dev
            set"`, alone or after another.
        cause: Why the verdict is undecided, else an empty string: `"few
            rows"`, `"borderline"`, `"no scale"`, `"noise"`, `"unclean"`,
            `"diverged"`, `"no dev"`, `"short"`, `"one class"`, `"no mode"`,
            `"no reference"` or `"which epoch"`.
        curves: The errors by epoch that were judged.
        loss_curves: The losses by epoch, or `None` if they were judged
            themselves or there is no dev loss.
        rules: The arguments of `diagnose`.
        measures: The `Measures` of the curves.
        reference: The reference error; zero if none was given.
        scale: The error of a model that knows nothing, above the reference;
            one for a score.
        avoidable_bias: Training error minus reference error, or `None`.
        variance: Dev error minus training error, or `None`.
        bias_limit: The avoidable bias from which on it is high.
        variance_limit: The variance from which on it is high.
        overfits: Whether the dev loss rose while the training loss fell.
        steps: What to try next, in order.
        train_dev_error: The error on held-out training data, if given.
        mismatch: Dev error minus that error, or `None`.
        test_error: The error on test data, if given.
        dev_overfitting: That error minus the dev error, or `None`.
        answers: For each gap by name, such as `"variance"`, `"high"`, `"not
            high"` or `"cannot tell"`.
        gaps: The gaps, each with `name`, `value`, its bounds `low` and
            `high`, `limit`, `rows`, `rows_needed` and `answer`.
        taken: Steps that fit the verdict and were taken already.
        remarks: Sentences on what was judged in the place of what.
        output: The output of the model that was judged.
        outputs: For a model of several outputs, the diagnosis of each, the
            worst first; this one is the first of them.
        source: Whence the baseline: `"given"`, `"targets"`, `"classes"`,
            `"largest class"`, `"first epoch"`, or `"score"` for none.
        unclean: `"noisy"` if layers act on the training error alone, `"above
            dev"` if it is above the dev error, else an empty string.
        restored: The epoch whose weights were restored, or `None`.
    """

    verdict: str
    cause: str
    curves: Curves
    loss_curves: Curves | None
    rules: Rules
    measures: Measures
    reference: float
    scale: float
    avoidable_bias: float | None
    variance: float | None
    bias_limit: float
    variance_limit: float
    overfits: bool
    steps: tuple[Step, ...]
    train_dev_error: float | None = None
    mismatch: float | None = None
    test_error: float | None = None
    dev_overfitting: float | None = None
    answers: dict = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    taken: tuple[Step, ...] = ()
    remarks: tuple[str, ...] = ()
    output: str = ""
    outputs: tuple["Diagnosis", ...] = ()
    source: str = ""
    unclean: str = ""
    restored: int | None = None

    @property
    def metric(self):
        """The name of the metric that was judged."""
        return self.curves.metric

    @property
    def train_error(self):
        """Training error at the judged epochs, or `None`."""
        return self.measures.train_error

    @property
    def dev_error(self):
        """Dev error at the judged epochs, or `None`."""
        return self.measures.dev_error

    @property
    def best_epoch(self):
        """Epoch of the lowest dev error, counted from 1, or `None`."""
        return self.measures.best_epoch

    @property
    def reasons(self):
        """Sentences with the values that led to the verdict."""
        return _wording.reasons(self)

    @property
    def notes(self):
        """Sentences on what to keep in mind with the verdict."""
        return _wording.notes(self)

    def __repr__(self):
        return f"<Diagnosis of {self.metric}: {self.verdict}>"

    def _repr_html_(self):
        return f"<pre>{escape(self.text())}</pre>"

    def __str__(self):
        return self.text()

    def text(self):
        """The diagnosis as text for a terminal.

        Returns:
            A string of several lines, none over 80 characters as long as
            the metric's name is short.
        """
        return _wording.text(self)

    def as_dict(self):
        """The diagnosis as plain values.

        Returns:
            A dict that `json.dumps` accepts; `None` stands for a value that is
            missing or not finite.
        """
        values = {
            **asdict(self.measures),
            "reference": self.reference,
            "avoidable_bias": self.avoidable_bias,
            "variance": self.variance,
            "bias_limit": self.bias_limit,
            "variance_limit": self.variance_limit,
            "scale": self.scale,
            "train_dev_error": self.train_dev_error,
            "mismatch": self.mismatch,
            "test_error": self.test_error,
            "dev_overfitting": self.dev_overfitting,
        }
        return {
            "verdict": self.verdict,
            "cause": self.cause,
            "output": self.output,
            "metric": self.metric,
            "error": _wording.error_name(self),
            "overfits": self.overfits,
            "values": {name: _plain(v) for name, v in values.items()},
            "answers": dict(self.answers),
            "gaps": [_plain_gap(gap) for gap in self.gaps],
            "rules": asdict(self.rules),
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "steps": _listed(self.steps),
            "taken": _listed(self.taken),
            "curves": {
                "epoch": self.curves.epochs.tolist(),
                "train": [_plain(v) for v in self.curves.train],
                "dev": [_plain(v) for v in self.curves.dev],
            },
        }

    def figure(self):
        """The learning curves, with verdict, best epoch and gap.

        Returns:
            A `matplotlib.figure.Figure`, free of pyplot, so that no display
            is needed and nothing has to be closed.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        from keras_regopt.diagnosis._figures import learning_curves

        return learning_curves(self)

    def to_tensorboard(self, log_dir):
        """Writes curves, verdict, steps and figure for TensorBoard.

        Args:
            log_dir: Folder that TensorBoard reads; it is made if missing.

        Returns:
            The path of the file that was written.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        from keras_regopt.diagnosis._event_log import EventLog

        log = EventLog(log_dir)
        log.write_curves(self)
        log.write_summary(self)
        return log.path

    def to_html(self, path):
        """Writes one HTML file that needs nothing else, not even a network.

        Args:
            path: Where to write. The file appears whole or not at all.

        Returns:
            The path.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        return write_report(path, "Diagnosis of the training", [self])


def _listed(steps):
    return [{"action": s.action, "uses": list(s.uses)} for s in steps]


def _plain_gap(gap):
    found = {name: _plain(value) for name, value in asdict(gap).items()
             if name != "name"}  # fmt: skip
    needed = {"rows_needed": gap.rows_needed, "answer": gap.answer}
    return {"name": gap.name, **found, **needed}


def _plain(value):
    if value is None or isinstance(value, (bool, int)):
        return value
    return float(value) if np.isfinite(value) else None

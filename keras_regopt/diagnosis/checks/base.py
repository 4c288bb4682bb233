"""Base of the checks, and what they find."""

from collections.abc import Iterable
from typing import NamedTuple

# The worst first.
SEVERITIES = ("error", "warning", "note")


class Finding(NamedTuple):
    """One thing that a check has found.

    Attributes:
        check: The name of the check.
        severity: `"error"`: the training cannot be right; `"warning"`: it is
            probably worse than it need be; `"note"`: worth knowing.
        evidence: What was measured, as a sentence.
        remedy: What to do, as a sentence.
    """

    check: str
    severity: str
    evidence: str
    remedy: str


class Skip(Exception):
    """Raised by a check that does not apply; its text says why."""


class Check:
    """Base of the checks that `check` runs; write your own.

    A subclass sets `name` and `severity` and writes `run`, which yields what
    `finding` returns, nothing where all is well, and raises
    `keras_regopt.diagnosis.checks.Skip` where it does not apply. It may train
    the model and change its weights: `check` puts all back.

    Attributes:
        name: What the check is selected by, in snake_case.
        severity: That of its findings, unless they say another.

    Examples:
        >>> from keras_regopt.diagnosis import check
        >>> class FewRows(Check):
        ...     name = "few_rows"
        ...     def run(self, case):
        ...         if len(case.rows) < 100:
        ...             yield self.finding("There are few rows.", "Get more.")
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.random.default_rng(0).normal(size=(40, 2))
        >>> result = check(model, x, x[:, :1], checks=[FewRows()])
        >>> result.findings[0].evidence
        'There are few rows.'
    """

    name = ""
    severity = "warning"

    def run(self, case) -> Iterable[Finding]:
        """Looks at a case.

        Args:
            case: A `CheckCase`: the model and its data.

        Returns:
            An iterable of `Finding`.

        Raises:
            Skip: If the check does not apply.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write `run(self, case)`."
        )

    def finding(self, evidence: str, remedy: str, severity: str | None = None):
        """A `Finding` of this check."""
        return Finding(self.name, severity or self.severity, evidence, remedy)

    def __repr__(self):
        return f"{type(self).__name__}()"

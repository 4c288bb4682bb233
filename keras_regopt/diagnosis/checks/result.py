"""The result of `check`, as text, dict and HTML."""

import textwrap
from dataclasses import dataclass
from html import escape

from keras_regopt._html import table
from keras_regopt.diagnosis.checks.base import Finding


@dataclass(frozen=True, repr=False)
class CheckResult:
    """What `check` has found.

    Attributes:
        findings: A tuple of `Finding`, the most severe first.
        passed: The names of the checks that found nothing.
        skipped: The names of those that did not apply, and why.
        seconds: The seconds that each check took, by name.
    """

    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    skipped: dict[str, str]
    seconds: dict[str, float]

    @property
    def alarms(self):
        """The findings that are more than a note."""
        return tuple(f for f in self.findings if f.severity != "note")

    @property
    def ok(self):
        """Whether nothing but notes was found."""
        return not self.alarms

    def of(self, name):
        """The findings of one check.

        Args:
            name: The name of the check.

        Returns:
            A tuple of `Finding`.
        """
        return tuple(f for f in self.findings if f.check == name)

    def text(self):
        """The result as text for a terminal, no line over 80 characters."""
        lines = [repr(self)[1:-1]]
        for f in self.findings:
            lines.append(f"{f.severity.upper()}: {f.check}")
            lines += _wrapped("  ", f.evidence) + _wrapped("  -> ", f.remedy)
        if self.passed:
            lines += _wrapped("passed: ", ", ".join(self.passed))
        for name, reason in self.skipped.items():
            lines += _wrapped("not run: ", f"{name} ({reason})")
        return "\n".join(lines)

    def as_dict(self):
        """The result as plain values.

        Returns:
            A dict that `json.dumps` accepts.
        """
        return {
            "ok": self.ok,
            "findings": [f._asdict() for f in self.findings],
            "passed": list(self.passed),
            "skipped": dict(self.skipped),
            "seconds": dict(self.seconds),
        }

    def __str__(self):
        return self.text()

    def __repr__(self):
        counts = [
            sum(f.severity == s for f in self.findings)
            for s in ("error", "warning", "note")
        ]
        told = ", ".join(
            f"{n} {word}{'s' * (n != 1)}"
            for n, word in zip(
                counts, ("error", "warning", "note"), strict=True
            )
            if n
        )
        run = len(self.passed) + len({f.check for f in self.findings})
        return f"<CheckResult of {run} checks: {told or 'nothing found'}>"

    def _repr_html_(self):
        header = ["severity", "check", "evidence", "remedy"]
        rows = [
            [f.severity, f.check, f.evidence, f.remedy] for f in self.findings
        ]
        rest = f"passed: {', '.join(self.passed) or 'none'}"
        if self.skipped:
            rest += f"; not run: {', '.join(self.skipped)}"
        found = table(header, rows) if rows else ""
        return f"<p>{escape(repr(self))}</p>{found}<p>{escape(rest)}</p>"


def _wrapped(head, text):
    return textwrap.wrap(
        text, 80, initial_indent=head, subsequent_indent=" " * len(head)
    )

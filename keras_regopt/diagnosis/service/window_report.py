"""What a monitor says of one window."""

from dataclasses import dataclass

from keras_regopt._html import table
from keras_regopt.diagnosis.service.drift import Comparison


@dataclass(frozen=True, eq=False, repr=False)
class WindowReport:
    """The drift of one window against the reference. Made by `Monitor`.

    Attributes:
        number: The number of the window, from 1.
        rows: How many rows it has.
        columns: Dict: the name of a column to a `Comparison` with `psi`,
            `p_value` (corrected for the number of columns), `statistic` and
            `missing`.
        drifted: The names of the columns that have drifted.
        changed: The names of the stream detectors that found a change.
    """

    number: int
    rows: int
    columns: dict[str, Comparison]
    drifted: tuple[str, ...]
    changed: tuple[str, ...] = ()

    @property
    def alarm(self):
        """Whether a column has drifted or a detector found a change."""
        return bool(self.drifted or self.changed)

    def __repr__(self):
        return f"<WindowReport {self.number}: {self.reason}>"

    def _repr_html_(self):
        ordered = sorted(self.columns.items(), key=lambda item: item[1].p_value)
        rows = [
            [
                name,
                f"{c.psi:.3f}",
                f"{c.statistic:.3f}",
                f"{c.p_value:.2g}",
                f"{100 * c.missing:.1f} %",
                "yes" if name in self.drifted else "",
            ]
            for name, c in ordered
        ]
        header = ["column", "psi", "statistic", "p", "missing", "drift"]
        return table(header, rows)

    @property
    def reason(self):
        """What has drifted, with the values, as a sentence."""
        parts = []
        worst = sorted(self.drifted, key=lambda n: -self.columns[n].psi)
        for name in worst[:3]:
            found = self.columns[name]
            parts.append(
                f"{name} (stability index {found.psi:.2f}, "
                f"p {found.p_value:.1g})"
            )
        if len(worst) > 3:
            parts.append(f"{len(worst) - 3} more")
        text = f"drift of {', '.join(parts)}" if parts else ""
        if self.changed:
            by = f"change found by {' and '.join(self.changed)}"
            text = f"{text}; {by}" if text else by
        return text or "no drift"

"""The settings of a diagnosis."""

from dataclasses import dataclass

from keras_regopt._validate import fail, in_range, instance_of, one_of


@dataclass(frozen=True)
class Rules:
    """The arguments of `diagnose`, which explains them."""

    monitor: str = "auto"
    mode: str = "auto"
    reference: float | None = None
    baseline: float | None = None
    bias_tolerance: float | None = None
    variance_tolerance: float | None = None
    rise_tolerance: float = 0.2
    at: str = "auto"

    def check(self, owner):
        """Refuses arguments out of their range, in the name of `owner`."""
        instance_of(
            owner,
            "monitor",
            self.monitor,
            str,
            'a metric\'s name or "auto"',
            "One metric is judged at a time.",
        )
        one_of(owner, "mode", self.mode, ("auto", "min", "max"))
        one_of(owner, "at", self.at, ("auto", "last", "best"))
        for name in ("reference", "baseline"):
            in_range(owner, name, getattr(self, name), optional=True)
        for name in ("bias_tolerance", "variance_tolerance"):
            in_range(owner, name, getattr(self, name), low=0, optional=True)
        in_range(owner, "rise_tolerance", self.rise_tolerance, low=0)
        if self.reference is None or self.baseline is None:
            return
        if self.baseline <= self.reference:
            allowed = f"above the reference, {self.reference}"
            fail(owner, "baseline", allowed, self.baseline)

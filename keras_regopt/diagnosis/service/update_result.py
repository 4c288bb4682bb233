"""The result of `update`."""

import math
from dataclasses import dataclass, field

from keras_regopt._html import table


@dataclass(frozen=True, repr=False)
class Update:
    """What an `update` has done to a model.

    Attributes:
        epoch: The epoch whose weights the model has now; 0 for those of before.
        fraction: How far it goes from the weights of before to those of the
            epoch; below 1 where the whole way would have forgotten too much.
        new_loss: The loss on held-out new rows now.
        old_loss: The loss on `old_dev` now, or `None` without it.
        new_losses: The loss on held-out new rows, before and after each epoch.
        old_losses: The loss on `old_dev`, likewise; empty without it.
    """

    epoch: int
    fraction: float
    new_loss: float
    old_loss: float | None
    new_losses: list[float] = field(default_factory=list)
    old_losses: list[float] = field(default_factory=list)

    @property
    def forgetting(self):
        """The rise of the loss on old rows, a fraction; `None` if unknown."""
        if self.old_loss is None:
            return None
        return self.old_loss / max(self.old_losses[0], 1e-12) - 1

    @property
    def reason(self):
        """What has come of it, as a sentence."""
        before = self.new_losses[0]
        if not self.epoch:
            return (
                "the weights of before are kept: no epoch lowered the loss on "
                f"new rows, {before:.4g}, within the tolerance"
            )
        way = "all" if self.fraction == 1 else f"{100 * self.fraction:.0f} %"
        text = (
            f"{way} of the way to epoch {self.epoch}: the loss on new rows "
            f"went from {before:.4g} to {self.new_loss:.4g}"
        )
        if self.old_loss is None:
            return f"{text}; that on old rows is not known"
        old = f"{self.old_losses[0]:.4g} to {self.old_loss:.4g}"
        return f"{text}, on old rows from {old}"

    def __repr__(self):
        return f"<Update: {self.reason}>"

    def _repr_html_(self):
        old = self.old_losses or [math.nan] * len(self.new_losses)
        rows = [
            [epoch, f"{a:.4g}", f"{b:.4g}"]
            for epoch, (a, b) in enumerate(
                zip(self.new_losses, old, strict=True)
            )
        ]
        header = ["epoch", "loss, new rows", "loss, old rows"]
        return f"{table(header, rows)}<p>{self.reason}</p>"

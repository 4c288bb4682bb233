"""What a learning-rate range test has found."""

import numpy as np
from numpy.typing import ArrayLike

from keras_regopt._html import table
from keras_regopt._matplotlib import require_matplotlib
from keras_regopt._validate import one_of

# In the order of their boldness, on most curves.
METHODS = ("valley", "steepest", "minimum/10")


class RangeTest:
    """The losses of a learning-rate range test, and what they suggest.

    A `LearningRateFinder` makes it; `find_learning_rate` returns it.

    Args:
        rates: The learning rate of each step, rising.
        losses: The loss of each step's own batch.
        steps: Number of steps that were planned; by default, as many as were
            made.
        smoothing: Decay of the moving average of the losses, in [0, 1).
            Defaults to `0.98`.
        method: The rule of `suggestion`; see `suggest`. Defaults to
            `"valley"`.

    Attributes:
        rates: The rates, as a float64 array.
        losses: The losses, as a float64 array.
        smoothed_losses: Their moving average, corrected for its start at zero.

    Examples:
        >>> rates = 10.0 ** np.linspace(-5, 0, 101)
        >>> test = RangeTest(rates, (np.log10(rates) + 2) ** 2, smoothing=0.0)
        >>> round(test.suggest("minimum/10"), 6), round(test.suggestion, 6)
        (0.001, 0.000501)

    References:
        Smith 2017, Cyclical learning rates for training neural networks,
        section 3.3 (arXiv 1506.01186); the suggestions are those of fastai's
        `lr_find`.
    """

    def __init__(
        self,
        rates: ArrayLike,
        losses: ArrayLike,
        steps: int | None = None,
        smoothing: float = 0.98,
        method: str = "valley",
    ):
        self.rates = np.array(rates, "float64")
        self.losses = np.array(losses, "float64")
        self.smoothed_losses = smoothed(self.losses, smoothing)
        self.method = one_of(self, "method", method, METHODS)
        self._steps = steps or len(self.rates)

    def __repr__(self):
        shown = [f"{name}={value}" for name, value in self._summary()]
        return f"RangeTest({', '.join(shown)})"

    def _repr_html_(self):
        return table(["", "range test"], self._summary())

    def _summary(self):
        if not len(self.rates):
            return [["steps", 0]]
        try:
            suggestion = f"{self.suggestion:.3g}"
        except ValueError:
            # Of too few steps, for one.
            suggestion = None
        return [
            ["steps", f"{len(self.rates)}"],
            ["rates", f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}"],
            ["method", repr(self.method)],
            ["suggestion", suggestion],
        ]

    @property
    def suggestion(self):
        """The learning rate that the method of this test suggests."""
        return self.suggest(self.method)

    def suggest(self, method):
        """A learning rate to train with.

        The first tenth of the planned steps and the last five points are left
        out, where the average is of few losses or the loss flies off.

        Args:
            method: `"valley"`: within the longest fall of the smoothed losses,
                the point half-way down its middle third; robust on rough
                curves. `"steepest"`: where they fall fastest by the logarithm
                of the rate. `"minimum/10"`: a tenth of the rate at their
                minimum.

        Returns:
            A Python float.

        Raises:
            ValueError: If the method is unknown, if there are too few points,
                or if the loss falls nowhere.
        """
        one_of(self, "method", method, METHODS)
        rates, losses = self._usable()
        # By more than the average is rounded by.
        if len(rates) < 2 or losses.min() > losses[0] - 1e-9 * abs(losses[0]):
            raise ValueError(
                f"The range test suggests no learning rate: of {len(rates)} "
                "usable points, none is below the first. Begin with a lower "
                "rate, take more steps, and look at `plot()`."
            )
        if method == "minimum/10":
            return float(rates[losses.argmin()] / 10)
        if method == "steepest":
            slopes = np.diff(losses) / np.diff(np.log(rates))
            return float(rates[slopes.argmin()])
        return float(rates[_valley(losses)])

    def plot(self, axes=None):
        """Draws the losses by the learning rate, and the suggestion.

        Args:
            axes: Optional Matplotlib axes to draw into. By default, those of a
                new figure.

        Returns:
            The axes; `axes.figure.savefig("rates.png")` saves the figure.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        require_matplotlib()
        from matplotlib.figure import Figure

        if axes is None:
            figure = Figure(figsize=(5.2, 3.2), layout="constrained")
            axes = figure.add_subplot()
        axes.plot(self.rates, self.losses, color="0.8", label="loss")
        axes.plot(self.rates, self.smoothed_losses, label="smoothed loss")
        try:
            rate = self.suggestion
        except ValueError:
            # The picture is what shows why there is none.
            rate = None
        if rate is not None:
            label = f"{self.method}: {rate:.3g}"
            axes.axvline(rate, color="C1", linestyle="--", label=label)
        usable = self.smoothed_losses[np.isfinite(self.smoothed_losses)]
        if len(usable):
            # Of a loss that flies off, the beginning is enough.
            low, first = usable.min(), usable[0]
            axes.set_ylim(
                low - 0.1 * abs(low), first + 2 * (first - low) + 1e-9
            )
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        return axes

    def _usable(self):
        chosen = slice(self._steps // 10, max(len(self.rates) - 5, 0))
        rates, losses = self.rates[chosen], self.smoothed_losses[chosen]
        good = np.isfinite(losses)
        return rates[good], losses[good]


def smoothed(losses, smoothing):
    """The moving average of losses, corrected for its start at zero.

    Args:
        losses: An array.
        smoothing: Its decay, in [0, 1).

    Returns:
        An array of the same length.
    """
    average, values = 0.0, []
    for count, loss in enumerate(losses, 1):
        average = smoothing * average + (1 - smoothing) * loss
        values.append(average / (1 - smoothing**count))
    return np.array(values, "float64")


def _valley(losses):
    """The index in the middle of the longest fall.

    A fall is a series of ever lower losses, which may leave out others; its
    length in points is counted back from its end, as in fastai.
    """
    lengths = np.ones(len(losses), int)
    for i in range(1, len(losses)):
        higher = losses[:i] > losses[i]
        if higher.any():
            lengths[i] = 1 + lengths[:i][higher].max()
    end = int(lengths.argmax())
    third = lengths[end] / 3
    return max(int(end - lengths[end] + int(third) + int(third / 2)), 0)

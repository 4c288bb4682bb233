"""Gradients compared with central differences, in double precision."""

from dataclasses import dataclass
from html import escape
from typing import Any

import keras
import numpy as np

from keras_regopt._html import table
from keras_regopt._validate import fail, in_range, integer, positive_int
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._gradient_probe import GradientProbe
from keras_regopt.diagnosis._preserved import preserved

# From this relative error on a gradient is wrong, not just inexact.
_WRONG = 1e-3


@dataclass(frozen=True)
class VariableGradient:
    """What `check_gradients` found for one variable in one mode.

    Attributes:
        path: The variable's path in the model.
        training: Whether the model was called as in training.
        error: The relative error, `|a - n| / (|a| + |n|)` of the analytic and
            the numeric gradients, or `None` if nothing could be compared.
        compared: How many slopes were compared.
        skipped: How many were left out, at kinks.
        verdict: `"good"`, `"look"`, `"wrong"`, `"unused"` (the loss does not
            depend on it) or `"cannot tell"`.
    """

    path: str
    training: bool
    error: float | None
    compared: int
    skipped: int
    verdict: str


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """The result of `check_gradients`.

    Attributes:
        variables: A tuple of `VariableGradient`, the worst first.
        tolerance: The relative error up to which a gradient is good.
    """

    variables: tuple[VariableGradient, ...]
    tolerance: float

    @property
    def passed(self):
        """Whether no gradient was found to be wrong or inexact."""
        return not any(v.verdict in ("look", "wrong") for v in self.variables)

    @property
    def worst(self):
        """The largest relative error, or `None`."""
        errors = [v.error for v in self.variables if v.error is not None]
        return max(errors, default=None)

    def text(self):
        """The result as text for a terminal, a line for each variable."""
        rows = self._rows()
        width = max(len(row[1]) for row in rows)
        return "\n".join(
            [repr(self)[1:-1]]
            + [
                f"  {verdict:11} {path:{width}}  {mode:9} {error:>8}  {how}"
                for verdict, path, mode, error, how in rows
            ]
        )

    def __str__(self):
        return self.text()

    def __repr__(self):
        state = "passed" if self.passed else "failed"
        worst = "none" if self.worst is None else f"{self.worst:.1e}"
        return f"<GradientCheck: {state}, largest relative error {worst}>"

    def _repr_html_(self):
        header = ["verdict", "variable", "mode", "error", "compared"]
        return f"<p>{escape(repr(self))}</p>{table(header, self._rows())}"

    def _rows(self):
        return [
            [
                v.verdict,
                v.path,
                "training" if v.training else "inference",
                "" if v.error is None else f"{v.error:.1e}",
                f"{v.compared} slopes"
                + (f", {v.skipped} at kinks" if v.skipped else ""),
            ]
            for v in self.variables
        ]


def check_gradients(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    rows: int = 16,
    coordinates: int = 50,
    directions: int = 4,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientCheck:
    """Compares the gradients of a model with numeric ones, in float64.

    Finds what is wrong in a gradient or a layer of your own: a factor, a
    sign, a transposed weight, a part of the loss that was cut off. For each
    trainable variable, slopes of the loss along sampled coordinates, and of a
    large variable also along random directions, are computed by central
    differences at two steps, extrapolated, and compared with those that
    the backend derives:

        |analytic - numeric| / (|analytic| + |numeric|)

    over all slopes of the variable. Up to `tolerance` that is `"good"`, up
    to 1e-3 `"look"`, beyond it `"wrong"`.

    The whole loss counts: regularizers, `add_loss`, losses of your own. The
    model runs in float64, whatever its policy. Dropout and noise draw the same
    in each evaluation, and both modes are checked, so that batch normalization
    is differentiated through the statistics of the batch and through the
    moving ones. Where a kink, as that of a ReLU, lies in between, the slope is
    left out. The model stays as it is, bit for bit.

    Args:
        model: A compiled, built model.
        x: Inputs, as in `fit`, in arrays.
        y: Targets, as in `fit`. Defaults to `None`.
        sample_weight: Weights of the rows, as in `fit`. Defaults to `None`.
        rows: How many rows to take from the front, at least 1. Defaults to
            `16`.
        coordinates: How many coordinates to sample of each variable, at least
            1. Defaults to `50`.
        directions: How many random directions to try for a variable with more
            coordinates than are sampled, at least 0. Defaults to `4`.
        tolerance: The relative error up to which a gradient is good, a number
            > 0. Defaults to `1e-6`.
        seed: Seed of what is sampled. Defaults to `0`.

    Returns:
        A `GradientCheck`; print it for a line on each variable.

    Raises:
        ValueError: If the model is not compiled or not built, or an argument
            is out of its range.

    Examples:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.random.default_rng(0).normal(size=(8, 3))
        >>> result = check_gradients(model, x, x[:, :1])
        >>> result.passed, len(result.variables)
        (True, 4)

    References:
        Ng, Katanforoosh and Bensouda Mourri, Improving deep neural networks,
        the lesson on gradient checking; Karpathy, CS231n, notes on gradient
        checks.
    """
    owner = check_gradients
    positive_int(owner, "rows", rows)
    positive_int(owner, "coordinates", coordinates)
    integer(owner, "directions", directions, low=0)
    in_range(owner, "tolerance", tolerance, above=0)
    integer(owner, "seed", seed, low=0, high=2**32 - 1)
    require_compiled(owner, model)
    data = {"x": x, "y": y, "sample_weight": sample_weight}
    count = min(rows, _nested.count(owner, data))
    batch = [_nested.take(part, np.arange(count)) for part in data.values()]
    found = []
    with preserved(model):
        for training in (True, False):
            probe = GradientProbe(model, batch, training, tolerance)
            random = np.random.RandomState(seed)
            for index, variable in enumerate(model.trainable_variables):
                pairs, skipped = probe.slopes(
                    index, coordinates, directions, random
                )
                found.append(
                    _judge(variable.path, training, pairs, skipped, probe)
                )
    order = ["wrong", "look", "cannot tell", "unused", "good"]
    found.sort(key=lambda v: (order.index(v.verdict), -(v.error or 0)))
    return GradientCheck(tuple(found), tolerance)


def require_compiled(owner, model):
    """Refuses what is no compiled, built model."""
    if not isinstance(model, keras.Model):
        fail(owner, "model", "a Keras model", model)
    if not model.built:
        remedy = "Call it on a batch of its data first."
        fail(owner, "model", "built", model, remedy)
    if not getattr(model, "compiled", False):
        remedy = "Call `compile` with an optimizer and a loss first."
        fail(owner, "model", "compiled", model, remedy)


def _judge(path, training, pairs, skipped, probe):
    if not pairs:
        verdict = "cannot tell"
        return VariableGradient(path, training, None, 0, skipped, verdict)
    analytic, numeric = np.array(pairs).T
    size = np.linalg.norm(analytic) + np.linalg.norm(numeric)
    floor = probe.smallest * np.sqrt(len(pairs))
    error = float(np.linalg.norm(analytic - numeric) / max(size, floor))
    if error > _WRONG:
        verdict = "wrong"
    elif error > probe.tolerance:
        verdict = "look"
    elif not size:
        verdict = "unused"
    else:
        verdict = "good" if skipped <= len(pairs) else "cannot tell"
    return VariableGradient(path, training, error, len(pairs), skipped, verdict)

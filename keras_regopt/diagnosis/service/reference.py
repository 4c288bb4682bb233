"""What the windows of a monitor are compared with."""

import keras
import numpy as np

from keras_regopt._validate import fail
from keras_regopt.diagnosis.service.columns import (
    is_columnar,
    output_columns,
    to_columns,
)
from keras_regopt.diagnosis.service.drift import (
    LARGEST,
    corrected,
    reference_of,
)


class Reference:
    """The columns of the reference.

    Args:
        columns: Dict of names and arrays.
        bins: How many bins the stability index has.
    """

    def __init__(self, columns, bins):
        self._columns = {
            name: reference_of(values, bins) for name, values in columns.items()
        }

    def values(self):
        """Dict of names and arrays."""
        return {name: column.values for name, column in self._columns.items()}

    def compare(self, columns):
        """Dict of a `Comparison` for each column, the p-values corrected."""
        found = {
            name: reference.compare(columns[name])
            for name, reference in self._columns.items()
        }
        p_values = corrected([c.p_value for c in found.values()])
        return {
            name: comparison._replace(p_value=float(p))
            for (name, comparison), p in zip(
                found.items(), p_values, strict=True
            )
        }

    def require_same(self, owner, columns):
        """Refuses columns of other names or kinds."""
        if set(columns) != set(self._columns):
            missing = sorted(set(self._columns) - set(columns))
            added = sorted(set(columns) - set(self._columns))
            allowed = "of the columns of the reference"
            remedy = f"Missing: {missing}. Not in the reference: {added}."
            fail(owner, "x", allowed, sorted(columns), remedy)
        kinds = {"f": "numbers", "U": "categories"}
        for name, values in columns.items():
            before = self._columns[name].values.dtype.kind
            if before != values.dtype.kind:
                allowed = f"{kinds[before]} in the column {name!r}"
                fail(owner, "x", allowed, kinds[values.dtype.kind])

    def watched(self):
        """The column that stream detectors watch, or `None`.

        The errors come first, then the model's confidence, then its output.
        """
        for start in ("error", "confidence of ", "prediction"):
            for name, column in self._columns.items():
                if name.startswith(start) and column.values.dtype.kind == "f":
                    return name
        return None


def watched_columns(owner, x, predictions, errors):
    """All that a monitor watches of some rows, as columns.

    Args:
        owner: The monitor, with `model` and `categorical`.
        x: Inputs.
        predictions: Predictions, or `None`.
        errors: Errors, or `None`.

    Returns:
        A dict of names and arrays.

    Raises:
        ValueError: If the data have no columns, or are of different lengths.
    """
    columns = {}
    if owner.model is None or is_columnar(x):
        columns.update(to_columns(owner, "x", x, owner.categorical))
    if owner.model is not None:
        if predictions is not None:
            remedy = "The monitor's `model` makes them."
            fail(owner, "predictions", "None", "some predictions", remedy)
        predict = getattr(owner.model, "predict", None)
        predictions = predict(x, verbose=0) if predict else owner.model(x)
    if predictions is not None:
        columns.update(output_columns(owner, "predictions", predictions))
    if errors is not None:
        # Booleans too: the mean of a wrong class's is the error rate.
        errors = keras.ops.convert_to_numpy(errors).astype("float64")
        columns.update(to_columns(owner, "error", errors))
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or not max(lengths):
        allowed = "rows, as many as of predictions and errors"
        fail(owner, "x", allowed, {n: len(v) for n, v in columns.items()})
    return columns


def sampled(columns, seed):
    """The rows of a reference, and of a large one a sample."""
    count = len(next(iter(columns.values())))
    if count <= LARGEST:
        return columns
    chosen = np.random.default_rng(seed).choice(count, LARGEST, replace=False)
    return {name: values[chosen] for name, values in columns.items()}

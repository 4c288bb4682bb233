"""What is wrong with the data themselves."""

import keras
import numpy as np

from keras_regopt._keras import graph_nodes, graph_of
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis.checks.base import Check, Skip

_SCALING = (
    "Rescaling",
    "Normalization",
    "BatchNormalization",
    "LayerNormalization",
    "RobustScaling",
    "Whitening",
    "Embedding",
    "Discretization",
    "CategoryEncoding",
    "Hashing",
    "IntegerLookup",
    "UnitNormalization",
)


class Data(Check):
    """Missing, constant and unscaled inputs, and targets that do not fit."""

    name = "data"

    def run(self, case):
        for path, leaf in _nested.leaves(case.x, "x").items():
            array = _nested.to_numpy(_nested.take(leaf, case.rows))
            if array.dtype.kind in "fiu":
                yield from self._inputs(case, path, array)
        yield from self._missing_targets(case)
        if case.loss.kind in ("sparse", "categorical", "binary"):
            yield from self._classes(case)

    def _inputs(self, case, path, array):
        flat = array.reshape(len(array), -1)
        bad = ~np.isfinite(flat)
        if bad.any():
            rows = int(bad.any(axis=1).sum())
            yield self.finding(
                f"{path} has NaN or infinite values in {rows} of "
                f"{len(flat)} rows.",
                "Drop these rows or fill them in before training.",
                "error",
            )
            flat = np.where(bad, 0, flat)
        flat = flat.astype("float64")
        constant = np.ptp(flat, axis=0) == 0
        if constant.all() and len(flat) > 1:
            yield self.finding(
                f"{path} is the same in all rows.",
                "Look at how the inputs are made.",
                "error",
            )
            return
        # Borders of images are; one column of a table should not be.
        if array.ndim == 2 and constant.any():
            columns = np.flatnonzero(constant)[:8].tolist()
            yield self.finding(
                f"{int(constant.sum())} of {len(constant)} columns of {path} "
                f"are constant: {columns}.",
                "Leave them out: they tell nothing.",
                "note",
            )
        if array.dtype.kind == "f" or array.ndim > 2:
            yield from self._scale(case, path, flat[:, ~constant], array.ndim)

    def _scale(self, case, path, flat, axes):
        if scales_itself(case.model):
            return
        spread, center = flat.std(axis=0), np.abs(flat.mean(axis=0))
        size = np.sqrt((flat**2).mean())
        remedy = (
            "Scale the inputs: begin the model with a `Normalization` layer "
            "that has seen the training data, with "
            "`keras_regopt.layers.RobustScaling`, or with `Rescaling(1/255)` "
            "for images."
        )
        if size > 20 or size < 1e-3:
            yield self.finding(
                f"The values of {path} are of size {size:.3g}; networks begin "
                "with weights for inputs of size 1.",
                remedy,
            )
        elif axes == 2 and (spread.max() > 300 * np.median(spread)):
            yield self.finding(
                f"The columns of {path} are of different scales: standard "
                f"deviations from {spread.min():.3g} to {spread.max():.3g}.",
                remedy,
            )
        elif axes == 2 and (center > 50 * spread).any():
            yield self.finding(
                f"Columns of {path} lie far from zero, by up to "
                f"{(center / spread).max():.0f} standard deviations.",
                remedy,
            )

    def _missing_targets(self, case):
        for path, leaf in _nested.leaves(case.y, "y").items():
            array = _nested.to_numpy(leaf)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                rows = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
                yield self.finding(
                    f"{path} has NaN or infinite values in "
                    f"{int(rows.sum())} of {len(array)} rows.",
                    "Drop these rows.",
                    "error",
                )

    def _classes(self, case):
        kind, y = case.loss.kind, case.target
        finite = y[np.isfinite(y)] if y.dtype.kind == "f" else y
        if not finite.size:
            return
        if kind == "sparse":
            yield from self._sparse(case, finite)
        elif finite.min() < 0 or finite.max() > 1:
            yield self.finding(
                f"The targets of {case.loss.name} must lie between 0 and 1; "
                f"they go from {finite.min():.3g} to {finite.max():.3g}.",
                "Number two classes 0 and 1; give labels of more classes to "
                "`sparse_categorical_crossentropy`.",
                "error",
            )
            return
        elif kind == "categorical" and y.ndim == 2:
            sums = y.sum(axis=1)
            if not np.allclose(sums, 1, atol=1e-2):
                yield self.finding(
                    "The rows of the targets do not sum to 1, as those of "
                    f"{case.loss.name} must: {sums.min():.3g} to "
                    f"{sums.max():.3g}.",
                    "Take `binary_crossentropy` and sigmoids where several "
                    "classes can be true at once.",
                    "error",
                )
        yield from self._parts(case)

    def _sparse(self, case, y):
        classes = case.model.output_shape[-1]
        one_hot = y.ndim > 1 and y.shape[-1] == classes > 1
        if one_hot and np.isin(y, (0, 1)).all():
            yield self.finding(
                "The targets are one-hot rows, but the loss takes labels.",
                "Take `categorical_crossentropy`.",
                "error",
            )
            return
        if (y != np.floor(y)).any():
            yield self.finding(
                f"The loss is {case.loss.name}, which takes whole labels, but "
                "the targets have fractions; they would be cut off.",
                "For numbers take `mean_squared_error` and one linear output.",
                "error",
            )
        elif y.min() < 0 or y.max() >= classes:
            yield self.finding(
                f"The labels go from {int(y.min())} to {int(y.max())}; a "
                f"model with {classes} outputs takes 0 to {classes - 1}.",
                "Number the classes from 0, or change the outputs of the "
                "model.",
                "error",
            )

    def _parts(self, case):
        try:
            train = case.labels()
            dev = None if case.dev is None else case.labels(case.dev[1])
        except Skip:
            return
        if len(np.unique(train)) == 1:
            yield self.finding(
                f"All targets are of one class, {int(train[0])}.",
                "Look at how the targets are made.",
                "error",
            )
            return
        if dev is None:
            return
        unseen = np.setdiff1d(dev, train)
        absent = np.setdiff1d(train, dev)
        # A rare class may be missing by chance.
        counts = {c: float(np.mean(train == c)) for c in absent}
        missing = [
            int(c) for c, p in counts.items() if (1 - p) ** len(dev) < 1e-3
        ]
        remedy = "Split again, with `split(x, y, stratify=True)`."
        if len(unseen):
            yield self.finding(
                f"Classes of the dev data that no training row has: "
                f"{unseen[:8].tolist()}.",
                remedy,
                "error",
            )
        if missing:
            yield self.finding(
                f"Classes that no dev row has: {missing[:8]}.", remedy
            )


def scales_itself(model):
    """Whether a model begins with a layer that scales or looks up."""
    graph = graph_of(model)
    if graph is None:
        layers = list(model.layers)[:2]
    else:
        layers = [node.operation for node in graph_nodes(graph)]
    for layer in layers:
        if type(layer).__name__ in _SCALING:
            return True
        if isinstance(layer, keras.Model) and scales_itself(layer):
            return True
        if layer.__class__.__name__ != "InputLayer" and layer.weights:
            return False
    return False

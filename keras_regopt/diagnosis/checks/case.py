"""The model and the data that the checks look at."""

import functools
import zlib
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_regopt._keras import ValuesScope, takes_training
from keras_regopt.diagnosis import _nested
from keras_regopt.diagnosis._loss_function import compiled, to_tensors
from keras_regopt.diagnosis.checks._losses import loss_of
from keras_regopt.diagnosis.checks._probe import Probe
from keras_regopt.diagnosis.checks.base import Skip

# Rows beyond these tell no more, and cost time.
_ROWS, _PREDICTED, _COLUMNS = 2000, 512, 4096
# How many rows the model predicts at a time.
_TOGETHER = 256


class CheckCase:
    """The model and the data that a `Check` looks at.

    Attributes:
        model: The compiled model.
        x: The inputs, as they were given.
        y: The targets, or `None`.
        dev: A pair of inputs and targets, or `None`.
        groups: The group of each dev row, or `None`.
        batch_size: The batch size of the training.
        rows: The rows that are looked at, at most 2,000, in random order.
        loss: The model's loss: `.name`, `.from_logits`, `.kind`, which is
            `"sparse"`, `"categorical"`, `"binary"`, `"regression"` or `None`.
    """

    def __init__(
        self,
        model: keras.Model,
        x: Any,
        y: Any,
        dev: Any,
        groups: Any,
        batch_size: int,
        seed: int,
    ):
        self.model = model
        self.x, self.y = x, y
        self.dev, self.groups = dev, groups
        self.batch_size = batch_size
        self.seed = seed
        self.count = _nested.count("check", {"x": x, "y": y})
        self.rows = self.random("rows").permutation(self.count)[:_ROWS]
        self.loss = loss_of(model)
        # What several checks have computed once.
        self.found: dict[str, Any] = {}
        self._compiled: dict[Any, Any] = {}

    def random(self, name):
        """A `RandomState` of the seed and a name."""
        return np.random.RandomState((self.seed, zlib.crc32(name.encode())))

    def take(self, rows):
        """The inputs and the targets of some rows."""
        return _nested.take(self.x, rows), _nested.take(self.y, rows)

    @functools.cached_property
    def probe(self):
        """The compiled step of the training; see `Probe`."""
        if self.y is None:
            raise Skip("there are no targets")
        return Probe(self)

    @property
    def target(self):
        """The targets as one array, or a reason to skip."""
        return self.one_array(self.y, "targets")

    def one_array(self, data, word):
        """Nested data of one array as this array."""
        found = list(_nested.leaves(data, word).values())
        if len(found) != 1:
            raise Skip(f"there is not one array of {word}")
        return _nested.to_numpy(found[0])

    def labels(self, y=None):
        """The classes as integers, from labels, one-hot rows or 0 and 1.

        Args:
            y: Targets. Defaults to all of the case.

        Returns:
            An array with one axis.

        Raises:
            Skip: If the targets are no classes.
        """
        y = self.target if y is None else self.one_array(y, "targets")
        kind = self.loss.kind
        if kind == "categorical" and y.ndim == 2 and y.shape[1] > 1:
            return y.argmax(axis=1)
        flat = y.reshape(len(y), -1)
        if kind not in ("sparse", "binary") or flat.shape[1] != 1:
            raise Skip("the targets are no classes")
        flat = flat[:, 0]
        if flat.dtype.kind == "f":
            whole = np.isfinite(flat) & (flat == np.floor(flat))
            if not whole.all():
                raise Skip("the targets are no classes")
        return flat.astype(int)

    def columns(self, x=None, rows=None):
        """The inputs as rows of numbers.

        Args:
            x: Inputs. Defaults to those of the case.
            rows: Which rows. Defaults to `self.rows` of the case's, or all.

        Returns:
            A float array with two axes; of very wide inputs, every n-th
            column.
        """
        if x is None:
            x, rows = self.x, self.rows if rows is None else rows
        flat = []
        for leaf in _nested.leaves(x, "x").values():
            array = _nested.to_numpy(
                leaf if rows is None else _nested.take(leaf, rows)
            )
            if array.dtype.kind not in "fiub":
                raise Skip("the inputs are no numbers")
            flat.append(array.reshape(len(array), -1).astype("float32"))
        joined = np.concatenate(flat, axis=1)
        return joined[:, :: -(-joined.shape[1] // _COLUMNS)]

    def predict(self, x, count=_PREDICTED):
        """What the model predicts for the first rows, in inference mode.

        Args:
            x: Inputs.
            count: How many rows, or `None` for all.

        Returns:
            A float array.
        """
        total = _nested.count("check", {"x": x})
        count = total if count is None else min(count, total)
        parts = []
        for start in range(0, count, _TOGETHER):
            rows = np.arange(start, min(start + _TOGETHER, count))
            outputs = self.call(_nested.take(x, rows))
            if isinstance(outputs, (list, tuple, dict)):
                raise Skip("the model has several outputs")
            outputs = np.array(ops.convert_to_numpy(outputs))
            parts.append(outputs.astype("float64"))
        return np.concatenate(parts)

    def call(self, x):
        """The model's outputs for rows, without gradients."""
        return self.evaluate(self.model, x)

    def evaluate(self, function, x):
        """What a function that calls the model gives for rows, no gradients.

        JAX compiles it, for one number of rows: the rows are repeated, and
        what belongs to the others is left out.

        Args:
            function: Of the inputs as tensors, and of `training` where the
                model takes that.
            x: Inputs.

        Returns:
            What the function returns; of JAX, arrays.
        """
        options = {"training": False} if takes_training(self.model) else {}
        if keras.backend.backend() != "jax" or self.model.run_eagerly:
            tensors = to_tensors(x)
            return without_gradients(lambda: function(tensors, **options))
        count = _nested.count("check", {"x": x})
        size = max(count, _TOGETHER)
        variables = self.model.variables

        def within(values, tensors):
            with ValuesScope(variables, values):
                return function(tensors, **options)

        if function not in self._compiled:
            self._compiled[function] = compiled(within, self.model)
        outputs = self._compiled[function](
            [v.value for v in variables],
            to_tensors(_nested.take(x, np.arange(size) % count)),
        )
        return keras.tree.map_structure(
            lambda t: np.asarray(t)[:count] if t.shape[:1] == (size,) else t,
            outputs,
        )

    def probabilities_of(self, x):
        """Predicted probabilities of the classes of all rows, in two axes.

        Raises:
            Skip: If the model predicts none.
        """
        outputs = self.predict(x, None)
        if self.loss.kind in ("sparse", "categorical") and outputs.ndim == 2:
            if self.loss.from_logits:
                outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            total = outputs.sum(axis=1, keepdims=True)
            return outputs / np.where(total > 0, total, 1)
        if self.loss.kind == "binary" and outputs.size == len(outputs):
            outputs = outputs.reshape(-1)
            if self.loss.from_logits:
                outputs = 1 / (1 + np.exp(-np.clip(outputs, -500, 500)))
            return np.stack([1 - outputs, outputs], axis=1)
        raise Skip("the model predicts no classes")

    def dev_part(self):
        """The dev data, or the reason to skip."""
        if self.dev is None:
            raise Skip("there are no dev data: pass dev=(x_dev, y_dev)")
        return self.dev


def without_gradients(function):
    """Calls a function; torch keeps no graph of it."""
    if keras.backend.backend() != "torch":
        return function()
    import torch

    with torch.no_grad():
        return function()

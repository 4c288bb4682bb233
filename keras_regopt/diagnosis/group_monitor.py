from typing import Any

import keras
import numpy as np

from keras_regopt._keras import print_msg
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer, one_of, positive_int
from keras_regopt.callbacks._base import Callback
from keras_regopt.diagnosis.group_gap import HIGHER_IS_BETTER, GroupGap


@register
class GroupMonitor(Callback):
    """Monitors the worst group of examples after each epoch.

    It predicts for examples whose group is known, such as those of the dev
    set, and adds the value of the worst group and the gap between the best
    and the worst one to the logs, for example as `worst_group_accuracy` and
    `group_gap_accuracy`. So they are in the history, and later callbacks, such
    as `EarlyStopping`, can monitor them. It takes a model of one output, and
    any training.

    Args:
        x: The inputs: an array, or a dict, list or tuple of arrays.
        y: The targets, an array.
        group: The group of each example, an array of integers or strings.
        metric: What is compared; see `GroupGap`. Defaults to `"accuracy"`.
        threshold: See `GroupGap`. Defaults to `0.5`.
        batch_size: How many examples are predicted at a time, at least 1.
            Defaults to `32`.
        every: Epochs from one report to the next, at least 1. Defaults to `1`.
        verbose: `1`, the default, prints a line at each report, `0` prints
            nothing.

    Raises:
        ValueError: If the arrays differ in their number of rows.

    Examples:
        >>> x, y = np.ones((4, 2)), np.array([0, 1, 1, 1])
        >>> monitor = GroupMonitor(x, y, group=["a", "a", "b", "b"], verbose=0)
        >>> model = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
        >>> model.compile("sgd", "binary_crossentropy")
        >>> history = model.fit(x, y, verbose=0, callbacks=[monitor])
        >>> monitor.values["a"]
        [0.5]

    References:
        Sagawa et al. 2020, Distributionally robust neural networks for group
        shifts (arXiv 1911.08731), for the accuracy of the worst group.
    """

    state_attributes = ("epochs", "values")

    def __init__(
        self,
        x: Any,
        y: Any,
        group: Any,
        metric: str = "accuracy",
        threshold: float = 0.5,
        batch_size: int = 32,
        every: int = 1,
        verbose: int = 1,
    ):
        super().__init__()
        self.x = keras.tree.map_structure(lambda x: _array(self, "x", x), x)
        self.y = _array(self, "y", y)
        # A list, since Keras saves no array of strings.
        self.group = _array(self, "group", group, strings=True).tolist()
        _refuse_other_lengths(self)
        allowed = tuple(HIGHER_IS_BETTER)
        self.metric = one_of(self, "metric", metric, allowed)
        self.threshold = in_range(self, "threshold", threshold)
        self.batch_size = positive_int(self, "batch_size", batch_size)
        self.every = positive_int(self, "every", every)
        self.verbose = integer(self, "verbose", verbose, low=0, high=1)
        self.reset()

    def reset(self):
        self.epochs = []
        self.values = {}

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        names, numbers = np.unique(self.group, return_inverse=True)
        values = self._measure(len(names), numbers)
        self._keep(epoch, dict(zip(names.tolist(), values, strict=True)))
        ranked = self._ranked()
        if not ranked:
            return
        (worst, lost), (best, won) = ranked[0], ranked[-1]
        gap = abs(won - lost)
        if logs is not None:
            logs[f"worst_group_{self.metric}"] = lost
            logs[f"group_gap_{self.metric}"] = gap
        if self.verbose:
            # Keras' progress bar is still on its line.
            print_msg(
                f"\nEpoch {epoch + 1}: GroupMonitor: {self.metric} of the "
                f"worst group, {worst!r}, {lost:.4g}; of the best, {best!r}, "
                f"{won:.4g}; gap {gap:.4g}"
            )

    def _measure(self, groups, numbers):
        y_pred = self.model.predict(
            self.x, batch_size=self.batch_size, verbose=0
        )
        if not isinstance(y_pred, np.ndarray):
            raise ValueError(
                "GroupMonitor needs a model with one output. Received: "
                f"{len(keras.tree.flatten(y_pred))} outputs"
            )
        # A group by itself is no gap, but has a value.
        metric = GroupGap(self.metric, max(groups, 2), threshold=self.threshold)
        metric.update_state(self.y, y_pred, group=numbers)
        values = keras.ops.convert_to_numpy(metric.by_group())[:groups]
        return [None if np.isnan(f) else float(f) for f in values]

    def _keep(self, epoch, values):
        # A training that resumes may run its last epoch again.
        known = sum(earlier < epoch for earlier in self.epochs)
        self.epochs = [*self.epochs[:known], epoch]
        self.values = {
            name: [*self.values.get(name, [])[:known], value]
            for name, value in values.items()
        }

    def _ranked(self):
        """Pairs of a group and its latest value, the worst first."""
        latest = [(name, values[-1]) for name, values in self.values.items()]
        return sorted(
            (pair for pair in latest if pair[1] is not None),
            key=lambda pair: pair[1],
            reverse=not HIGHER_IS_BETTER[self.metric],
        )


def _array(owner, argument, value, strings=False):
    array = np.asarray(value)
    if strings and all(isinstance(entry, str) for entry in array.flat):
        array = array.astype(str)
    if array.ndim == 0 or array.dtype.kind not in "biuf" + "U" * strings:
        kinds = "integers or strings" if strings else "numbers"
        fail(owner, argument, f"an array of {kinds}", value)
    return array


def _refuse_other_lengths(owner):
    rows = [len(x) for x in keras.tree.flatten(owner.x)]
    rows += [len(owner.y), len(owner.group)]
    if len(set(rows)) != 1:
        raise ValueError(
            "`x`, `y` and `group` of GroupMonitor must have as many rows as "
            f"each other. Received: {rows}"
        )

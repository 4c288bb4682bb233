from typing import Any

import keras
import numpy as np

from keras_regopt._keras import print_msg
from keras_regopt._registry import register
from keras_regopt._validate import fail, in_range, integer, one_of, positive_int
from keras_regopt.callbacks._base import Callback
from keras_regopt.diagnosis._worst_group import compare
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

    The worst of many groups is worse than it is, since the lowest of many noisy
    values is low by chance. So after each report, `intervals` holds the lower
    and upper end of each group's interval, which hold for all groups together
    at 95 % (Bonferroni's, exact for fractions); `corrected` holds each value
    moved towards the mean of all, by as much as groups of these sizes differ by
    chance alone (empirical Bayes), of which the worst is in the logs, too, as
    `corrected_worst_group_accuracy`; and `p_value` tells how often groups drawn
    at random have one that far from the mean. Above 0.05 the worst group may
    be no worse than others.

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
        >>> [round(end, 2) for end in monitor.intervals["a"]]
        [0.01, 0.99]

    References:
        DerSimonian and Laird 1986, Meta-analysis in clinical trials, for the
        variance between groups.
        Sagawa et al. 2020, Distributionally robust neural networks for group
        shifts (arXiv 1911.08731), for the accuracy of the worst group.
    """

    state_attributes = (
        "epochs",
        "values",
        "intervals",
        "corrected",
        "p_value",
    )

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
        self.intervals = {}
        self.corrected = {}
        self.p_value = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        names, numbers = np.unique(self.group, return_inverse=True)
        names = names.tolist()
        values = self._measure(names, numbers)
        self._keep(epoch, dict(zip(names, values, strict=True)))
        ranked = self._ranked()
        if not ranked:
            return
        (worst, lost), (best, won) = ranked[0], ranked[-1]
        gap = abs(won - lost)
        if logs is not None:
            logs[f"worst_group_{self.metric}"] = lost
            logs[f"group_gap_{self.metric}"] = gap
            logs[f"corrected_worst_group_{self.metric}"] = self._corrected()
        if self.verbose:
            # Keras' progress bar is still on its line.
            print_msg(
                f"\nEpoch {epoch + 1}: GroupMonitor: {self.metric} of the "
                f"worst group, {worst!r}, {lost:.4g}; of the best, {best!r}, "
                f"{won:.4g}; gap {gap:.4g}; corrected for the worst of "
                f"{len(ranked)}, {self._corrected():.4g} (p {self.p_value:.2g})"
            )

    def _measure(self, names, numbers):
        y_pred = self.model.predict(
            self.x, batch_size=self.batch_size, verbose=0
        )
        if not isinstance(y_pred, np.ndarray):
            raise ValueError(
                "GroupMonitor needs a model with one output. Received: "
                f"{len(keras.tree.flatten(y_pred))} outputs"
            )
        # A group by itself is no gap, but has a value.
        metric = GroupGap(
            self.metric, max(len(names), 2), threshold=self.threshold
        )
        rows = metric.row_values(self.y, y_pred)
        values, weights = map(keras.ops.convert_to_numpy, rows)
        table = compare(
            values,
            weights,
            numbers,
            len(names),
            HIGHER_IS_BETTER[self.metric],
        )
        ends = zip(map(_plain, table.lows), map(_plain, table.highs),
                   strict=True)  # fmt: skip
        self.intervals = dict(zip(names, map(list, ends), strict=True))
        shrunk = map(_plain, table.shrunk)
        self.corrected = dict(zip(names, shrunk, strict=True))
        self.p_value = table.p_value
        return [_plain(value) for value in table.values]

    def _corrected(self):
        """The worst of the corrected values."""
        known = [v for v in self.corrected.values() if v is not None]
        return min(known) if HIGHER_IS_BETTER[self.metric] else max(known)

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


def _plain(value):
    return float(value) if np.isfinite(value) else None


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
